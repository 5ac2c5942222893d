"""Wrong values of `site_edge`, each with a right one, and the complaints about them."""

from __future__ import annotations

from tests.unit.plugins.plugin_utils.site.cases import Case, case

MORE = "site_static: {front: {folder: dist}}\nsite_buckets: {up: {}, old: {name: acme-old}}\n"
ARN = "arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d"
MANY = ", ".join(f"'/{number}/*': static.front" for number in range(25))
FEWER = ", ".join(f"'/{number}/*': static.front" for number in range(24))


def edge(wrong: str, right: str, path: str, *words: str) -> Case:
    """In an edge before the service web."""

    def made(given: str) -> str:
        default = "" if "default:" in given else "default: web, "
        return f"{MORE}site_edge: {{{default}{given}}}"

    return case(made(wrong), made(right), f"site_edge{path}", *words)


OF_EDGE = {
    "an edge that is a word": case("site_edge: web", "site_edge: {default: web}", "site_edge", "must be a mapping"),
    "an edge before nothing": case(
        "site_edge: {cache: {/media/*: 1d}}", "site_edge: {default: web}", "site_edge", "has no default", "default: web"
    ),
    "a default that is none": edge("default: 7up!", "default: web", ".default", "static.<entry>", "web"),
    "a default that the site has not": edge(
        "default: static.frnt", "default: static.front", ".default", "Did you mean static.front?"
    ),
    "a service that nothing leads to": case(
        "site_services: {web: {routes: []}}\nsite_edge: {default: web}",
        "site_edge: {default: web}",
        "site_edge.default",
        "a service without routes",
    ),
    "a bucket that is not Berth's": edge(
        "routes: {'/up/*': bucket.old}", "routes: {'/up/*': bucket.up}", ".routes./up/*", "exists already"
    ),
    "a route of a path that is none": edge(
        "routes: {static: static.front}", "routes: {/static: static.front}", ".routes.static", "/static"
    ),
    "a route to nothing": edge("routes: {'/a/*': 1 2}", "routes: {'/a/*': web}", ".routes./a/*", "a service"),
    "a time without a unit": edge("cache: {'/media/*': 3600}", "cache: {'/media/*': 1h}", ".cache./media/*", "12h"),
    "a time that is too long": edge("cache: {'/m/*': 400d}", "cache: {'/m/*': 366d}", ".cache./m/*", "at most 366d"),
    "a time for files of a bucket": edge(
        "cache: {'/static/*': 1d}, routes: {'/static/*': static.front}",
        "cache: {'/media/*': 1d}, routes: {'/static/*': static.front}",
        ".cache./static/*",
        "cache_control of",
    ),
    "a single page that is a word": edge(
        "default: static.front, single_page: 'yes'", "default: static.front, single_page: true", ".single_page", "true"
    ),
    "a single page of a service": edge(
        "single_page: true", "default: static.front, single_page: true", ".single_page", "default: static.front"
    ),
    "an error page that is a pattern": edge(
        "error_page: '/e/*', routes: {'/e/*': static.front}",
        "error_page: /e.html, routes: {/e.html: static.front}",
        ".error_page",
        "which is a pattern",
    ),
    "an error page of what does not answer": edge(
        "error_page: /e.html", "error_page: /e.html, routes: {/e.html: static.front}", ".error_page", "at the root"
    ),
    "an error page in a folder": edge(
        "error_page: /e/e.html, routes: {'/e/*': static.front}",
        "default: static.front, error_page: /e/e.html",
        ".error_page",
        "no bucket has under that name",
    ),
    "a certificate of another region": edge(
        f"certificate: '{ARN.replace('us-east-1', 'eu-west-1')}'",
        f"certificate: '{ARN}'",
        ".certificate",
        "us-east-1",
    ),
    "a price class that is none": edge("price_class: cheap", "price_class: all", ".price_class", "100, 200, all"),
    "a secret header of no number": edge("header: 0", "header: 2", ".header", "from 1"),
    "more patterns than it takes": edge(f"routes: {{{MANY}}}", f"routes: {{{FEWER}}}", "", "takes 24"),
    "a rule without room for the header": case(
        "site_services: {web: {routes: [{to: web, path: [/a, /b, /c, /d]}]}}\nsite_edge: {default: web}",
        "site_services: {web: {routes: [{to: web, path: [/a, /b, /c]}]}}\nsite_edge: {default: web}",
        "site_edge",
        "3 hosts and paths",
        "site_services.web has 4",
        "two routes",
    ),
}
