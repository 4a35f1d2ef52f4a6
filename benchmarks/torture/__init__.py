"""Twelve ordinary mishaps, run against aioflags and every peer that is installed; one rule judges them all.

* survived: the right files in the end, or a failure that is said and no wrong file under a final name;
* not survived: anything else, in two or three words.

A mishap scripts a server of raw sockets (`mishaps`, `server`), a tool is a command line (`tools`), its run a child
process with a time limit (`runs`), and the verdict looks at nothing but the files and the exit status (`verdict`).
"""
