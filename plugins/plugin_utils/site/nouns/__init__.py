"""The nouns of a site, in the order in which a person reads them. A new one is a module here and a word below."""

from plugins.plugin_utils.site.noun import Noun
from plugins.plugin_utils.site.nouns import bucket, database, function, job, secret, service, static, table, volume

NOUNS: dict[str, Noun] = {
    each.NOUN.word: each.NOUN for each in (service, job, function, static, volume, database, bucket, table, secret)
}
"""Word → noun."""
