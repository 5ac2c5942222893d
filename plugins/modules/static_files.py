#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: static_files
short_description: Put the files of a folder, or of one inside an image, into a bucket, new beside old
description:
  - What pages need goes first, pages (C(.html)) after it, so that none is there before what it names. What the bucket
    has with the same content and headers is not touched.
  - A file that the folder has no longer gets the tag C(berth:superseded), and is written once more with it, as a
    lifecycle rule counts an object's days from when it was written. One that comes back is written without the tag.
  - The content's hash, and whether the folder has it no longer, stand in an object's metadata (C(berth-sha256),
    C(berth-superseded)); one call an object tells all there is to know.
  - Not P(community.aws.s3_sync#module), which has one header C(Cache-Control) for all, tags nothing, deletes what the
    folder has no longer or leaves it for good, and takes types from the machine's tables (community.aws 10.0.0).
  - Files of an image are those of the image that the site runs. Where the local Docker engine has not got it, what is
    in the bucket stays; where there is nothing in it, that is an error.
options:
  bucket:
    description: Name of the bucket.
    type: str
    required: true
  folder:
    description: Path of the folder, unless O(image) is given.
    type: path
  image:
    description: Image that has the folder, as containers call it.
    type: str
    default: ""
  path:
    description: Path of the folder in O(image), from its root.
    type: str
    default: ""
  runs:
    description:
      - What the site runs of the name O(image), the registry's image with a tag made of its content. What the engine
        calls O(image) is taken if it has that content, or what the engine has under this name.
      - O(image) itself where it is not given.
    type: str
    default: ""
  cache_control:
    description:
      - Pattern of a file's path in the folder to its header C(Cache-Control); the first that fits holds. A C(*) stands
        for slashes as well.
      - What none fits is kept for a year where its name has a hash of its content, and otherwise asked for each time.
    type: dict
    default: {}
author: Berth
"""

EXAMPLES = r"""
- name: Upload the front end
  static_files:
    bucket: shop-live-static-front-files-1abc
    folder: front/dist
    cache_control: {"*.pdf": max-age=3600}

- name: Upload what the image of the front end serves
  static_files:
    bucket: shop-live-static-front-files-1abc
    image: shop/front
    path: /usr/share/nginx/html
    runs: 111122223333.dkr.ecr.us-east-1.amazonaws.com/shop-live/shop-front:0f3c9d1e2a4b
"""

RETURN = r"""
uploaded:
  description: Keys that were uploaded, in the order in which they were.
  returned: success
  type: list
  elements: str
superseded:
  description: Keys that the folder has no longer, and that have the tag since now.
  returned: success
  type: list
  elements: str
"""
