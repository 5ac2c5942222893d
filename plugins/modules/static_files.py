#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: static_files
short_description: Put the files of a folder, or of one inside an image, into a bucket, new beside old
description:
  - What has a name that stands for its content lies where it is asked for. Of every other file the release has a copy
    of its own, C(_releases/<release>/<file>), and C(_releases/<release>.json) names all of its files. A release is
    called after what is in it. What the bucket has with the same content and headers is not touched.
  - What replaces nothing is shown at once, pages (C(.html)) last, so that none is there before what it names. What
    would replace what is shown waits for M(static_live), once the release is proven.
  - Nothing is deleted; M(static_keep) says what goes.
  - The content's hash, and whether the file is kept no longer, stand in an object's metadata (C(berth-sha256),
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
  left_too:
    description: Whether files that a rollback has left are a release again. If not, what is shown stays.
    type: bool
    default: false
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
release:
  description: What the release of these files is called; if they are not here, of what is shown. May be empty.
  returned: success
  type: str
waits:
  description: Whether something of it is not shown yet, or nobody has said yet what is kept.
  returned: success
  type: bool
uploaded:
  description: Files that were uploaded or shown, pages last.
  returned: success
  type: list
  elements: str
"""
