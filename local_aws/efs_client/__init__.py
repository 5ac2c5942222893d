"""What both volume drivers of the embedded AWS share: an NFS client in user space, Docker's volume protocol, EFS's API.

It runs on the hosts and in the managed plugin under Debian's Python, with nothing but the standard library,
`python3-fusepy` and `libnfs13`; so nothing here may import anything else of this project.
"""
