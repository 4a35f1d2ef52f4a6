"""The page at `/`: every flag at a glance, for whoever opens the server in a browser."""

from __future__ import annotations

from html import escape

from aioflags.flagserver.countries import COUNTRIES

__all__ = ["make_index_page"]

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Flags</title>
<link rel="icon" href="/jp/jp.svg">
<style>
:root {{ --page: #f6f6f3; --card: #fff; --text: #1c1e21; --faint: #696d73; --edge: #0000001f; }}
@media (prefers-color-scheme: dark) {{
  :root {{ --page: #15171a; --card: #1f2226; --text: #e9eaec; --faint: #9aa0a8; --edge: #ffffff26; }}
}}
* {{ box-sizing: border-box; }}
body {{ margin: 0 auto; max-width: 76rem; padding: 2rem 1.25rem 3rem; background: var(--page); color: var(--text);
  font: 1rem/1.45 system-ui, sans-serif; }}
h1 {{ margin: 0; font-size: 1.6rem; }}
p {{ margin: .25rem 0 1.5rem; color: var(--faint); }}
ul {{ margin: 0; padding: 0; list-style: none; display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(10rem, 1fr)); }}
li {{ background: var(--card); border: 1px solid var(--edge); border-radius: .6rem; overflow: hidden; }}
.flag {{ display: flex; align-items: center; justify-content: center; height: 7.5rem; padding: .75rem; }}
img {{ max-width: 100%; max-height: 100%; outline: 1px solid var(--edge); }}
.name {{ padding: 0 .75rem .6rem; font-size: .9rem; }}
.name a {{ color: var(--faint); font-size: .8rem; margin-right: .35rem; }}
.name span {{ display: block; font-weight: 600; }}
</style>
</head>
<body>
<h1>Flags</h1>
<p>{count} countries, drawn by aioflags. Each as SVG, as GIF, and with its metadata.</p>
<ul>
{cards}
</ul>
</body>
</html>
"""

_CARD = (
    '<li><a class="flag" href="/{cc}/{cc}.svg"><img src="/{cc}/{cc}.svg" alt="Flag of {name}" loading="lazy"></a>'
    '<div class="name"><span>{name}</span><a href="/{cc}/{cc}.svg">svg</a> <a href="/{cc}/{cc}.gif">gif</a> '
    '<a href="/{cc}/metadata.json">json</a></div></li>'
)


def make_index_page() -> bytes:
    """Write the page, complete but for the pictures, which it takes from the same server."""
    cards = (_CARD.format(cc=cc.lower(), name=escape(name)) for cc, name in COUNTRIES.items())
    return _PAGE.format(count=len(COUNTRIES), cards="\n".join(cards)).encode()
