"""Three services as their users meet them: publish in the CMS, read on the pages, all through the proxy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import docker
import pytest
import requests

from local_aws.tests.until import until
from tests.integration.site_containers import Stage, answers, confined, last_lines, stage, stop, url

pytestmark = pytest.mark.docker

NGINX, CMS, NODE = (f"node-cms-proxy/{name}" for name in ("nginx", "cms", "node"))
EDITOR = ("editor", "of this test")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40


@dataclass
class Site:
    """The three running containers."""

    stage: Stage
    cms: Any = field(init=False)
    node: Any = field(init=False)
    nginx: Any = field(init=False)

    @property
    def url(self) -> str:
        return url(self.nginx, 80)

    def start_cms(self, **environment: str) -> Any:
        return self.stage.run(
            CMS, "cms", environment={"EDITOR_PASSWORD": EDITOR[1], **environment},
            volumes=self.stage.mount("cms", "/data"), mem_limit="256m", **confined("node_cms_proxy", "cms", "cms"),
        )  # fmt: skip

    def start_node(self) -> Any:
        return self.stage.run(
            NODE, "web", environment={"CMS": "http://cms:8080/"}, volumes=self.stage.mount("web", "/data"),
            mem_limit="256m", **confined("node_cms_proxy", "web", "node"),
        )  # fmt: skip

    def start_nginx(self) -> Any:
        return self.stage.run(
            NGINX, "proxy", port=80, environment={"CMS": "http://cms:8080", "WEB": "http://web:3000"},
            volumes=self.stage.mount("proxy", "/var/cache/nginx"), mem_limit="64m",
            **confined("node_cms_proxy", "proxy", "nginx"),
        )  # fmt: skip

    def page(self, path: str = "/") -> str:
        return requests.get(self.url + path, timeout=20).text

    def publish(self, title: str, **arguments: Any) -> requests.Response:
        data = {"title": title, "text": "Text of " + title}
        return requests.post(
            f"{self.url}/cms/", auth=EDITOR, data=data, timeout=20, allow_redirects=False, **arguments
        )  # fmt: skip

    def image_of(self, title: str) -> str:
        """The path of an article's image, found as a reader does."""
        link = re.search(rf'<a href="(/articles/[^"]+)">{title}</a>', self.page())
        assert link, self.page()
        image = re.search(r'<img src="(/cms/files/[^"]+)"', self.page(link[1]))
        assert image, self.page(link[1])
        return image[1]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with stage("node_cms_proxy") as made:
        running = Site(made)
        # The proxy first: it starts without those that it leads to.
        running.nginx = running.start_nginx()
        until(lambda: answers(f"{running.url}/healthz"), "the proxy answers", also=last_lines(running.nginx))
        assert requests.get(running.url, timeout=10).status_code == 502
        running.cms, running.node = running.start_cms(), running.start_node()
        until(
            lambda: answers(f"{running.url}/cms/articles.json"),
            "the CMS answers through the proxy",
            also=last_lines(running.cms),
        )
        until(lambda: answers(running.url), "the pages answer through the proxy", also=last_lines(running.node))
        yield running


def test_an_article_with_an_image_is_published_and_read(site: Site) -> None:
    assert site.publish("Bread & butter", files={"image": ("butter.PNG", PNG)}).headers["Location"] == "/cms/"
    assert "<a href=" in site.page()
    assert "Bread &amp; butter" in site.page()
    image = site.image_of("Bread &amp; butter")
    first = requests.get(site.url + image, timeout=5)
    assert (first.content, first.headers["Content-Type"], first.headers["X-Cache"]) == (PNG, "image/png", "MISS")
    assert first.headers["X-Content-Type-Options"] == "nosniff"
    assert requests.get(site.url + image, timeout=5).headers["X-Cache"] == "HIT"
    assert site.publish("Salt").status_code == 302
    assert re.findall(r'<a href="/articles/[^"]+">([^<]+)</a>', site.page()) == ["Salt", "Bread &amp; butter"]
    assert requests.get(f"{site.url}/articles/none", timeout=5).status_code == 404


def test_only_editors_publish(site: Site) -> None:
    before = site.page()
    data = {"title": "From elsewhere"}
    assert requests.get(f"{site.url}/cms/", timeout=5).status_code == 401
    assert requests.post(f"{site.url}/cms/", data=data, auth=("editor", "x"), timeout=5).status_code == 401
    assert requests.post(f"{site.url}/cms/", data=data, auth=("x", EDITOR[1]), timeout=5).status_code == 401
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert requests.post(f"{site.url}/cms/", data=data, auth=EDITOR, headers=foreign, timeout=5).status_code == 403
    assert requests.get(f"{site.url}/cms/", auth=EDITOR, timeout=5).status_code == 200
    assert site.page() == before


def test_what_is_no_article_is_refused(site: Site) -> None:
    assert "An article needs a title." in site.publish(" ").text
    refused = site.publish("Macro", files={"image": ("macro.html", b"<script>")})
    assert refused.status_code == 400
    assert "macro.html is no image" in refused.text
    assert site.publish("Film", files={"image": ("film.png", b"0" * 5 * 2**20)}).status_code == 413
    assert requests.get(f"{site.url}/cms/files/..%2farticles", timeout=5).status_code == 404


def test_a_second_cms_on_the_same_data_refuses_to_start(site: Site) -> None:
    second = site.start_cms(LOCK_SECONDS="2")
    assert second.wait(timeout=30)["StatusCode"] == 1
    said = second.logs().decode()
    assert f"/data is in use by {site.cms.id[:12]}; two would mix it up." in said
    assert "Booting worker" not in said
    assert answers(f"{site.url}/cms/articles.json")


def waiting_cms(site: Site) -> Any:
    """A second one, which waits: ECS starts the next one when it tells the first to stop, not when it has."""
    second = site.start_cms()
    says = f"/data is in use by {site.cms.id[:12]}: waiting up to 90 s for its end"
    until(lambda: says in second.logs().decode(), "it says that it waits", 30)
    return second


def test_one_that_waits_for_the_data_can_be_stopped(site: Site) -> None:
    second = waiting_cms(site)
    code, seconds = stop(second, 60)
    assert (code, seconds < 10) == (1, True)
    assert "Told to stop before it had the data." in second.logs().decode()


def test_readers_notice_little_while_the_cms_is_replaced(site: Site) -> None:
    """Stop-first, as a release does it; the new one has another address, which the proxy finds by itself."""
    site.publish("Sugar", files={"image": ("sugar.png", PNG + b"sugar")})
    image = site.image_of("Sugar")
    assert requests.get(site.url + image, timeout=5).content == PNG + b"sugar"
    old = address(site.cms)
    code, seconds = stop(site.cms, 60)
    assert (code, seconds < 10) == (0, True)
    site.stage.run(NODE, "filler", command=["sleep", "300"])  # takes the address

    assert "Sugar" in site.page()
    assert "this is what we last heard" in site.page()
    assert requests.get(site.url + image, timeout=15).headers["X-Cache"] in ("HIT", "STALE")
    assert requests.get(f"{site.url}/cms/", timeout=15).status_code in (502, 504)

    site.cms = site.start_cms()
    until(lambda: answers(f"{site.url}/cms/articles.json"), "the proxy finds the new CMS", 30, last_lines(site.nginx))
    assert address(site.cms) != old
    assert "Sugar" in requests.get(f"{site.url}/cms/", auth=EDITOR, timeout=5).text
    until(lambda: "what we last heard" not in site.page(), "the pages find the new CMS", 30, last_lines(site.node))


def test_a_lock_is_gone_with_a_killed_cms(site: Site) -> None:
    second = waiting_cms(site)
    site.cms.kill()
    site.cms = second
    until(lambda: answers(f"{site.url}/cms/articles.json"), "the next CMS serves the data", also=last_lines(site.cms))
    assert site.cms.exec_run(["cat", "/data/lock"]).output.decode() == site.cms.id[:12]


def test_a_new_web_container_shows_the_last_list_without_the_cms(site: Site) -> None:
    assert "Sugar" in site.page()
    stop(site.cms, 60)
    site.node.remove(force=True)
    site.stage.made.remove(site.node)
    site.node = site.start_node()
    until(lambda: "Sugar" in site.page(), "the list comes from the volume", 30, last_lines(site.node))
    assert answers(f"{site.url}/healthz")
    assert site.node.exec_run(["node", "/app/healthcheck.js"]).exit_code == 0
    site.cms.start()
    until(lambda: "what we last heard" not in site.page(), "the CMS is there again", 30, last_lines(site.cms))


def test_the_proxys_files_survive_its_restart(site: Site) -> None:
    image = site.image_of("Sugar")
    requests.get(site.url + image, timeout=5)
    code, seconds = stop(site.nginx)
    assert (code, seconds < 10) == (0, True)
    site.nginx.start()
    until(lambda: answers(f"{site.url}/healthz"), "the proxy answers again", also=last_lines(site.nginx))
    until(
        lambda: requests.get(site.url + image, timeout=5).headers["X-Cache"] == "HIT",
        "its files are read",
        70,
        last_lines(site.nginx),
    )


@pytest.mark.parametrize(
    ("image", "named"), [(NGINX, "CMS"), (CMS, "EDITOR_PASSWORD"), (NODE, "CMS")], ids=["nginx", "cms", "node"]
)
def test_a_missing_setting_is_named(site: Site, image: str, named: str) -> None:
    container = site.stage.run(image, "unset")
    assert container.wait(timeout=30)["StatusCode"] != 0
    assert f"et the environment variable {named}" in container.logs().decode()


def test_health_checks_and_users(site: Site) -> None:
    assert site.cms.exec_run(["python3", "/app/healthcheck.py"]).exit_code == 0
    assert site.nginx.exec_run(["healthcheck"]).exit_code == 0
    assert site.nginx.exec_run(["env", "PORT=81", "healthcheck"]).exit_code == 1
    users = {container.exec_run(["id", "-u"]).output.decode().strip() for container in (site.cms, site.node)}
    assert (users, site.nginx.exec_run(["id", "-u"]).output) == ({"1000"}, b"101\n")


def test_the_images_are_small() -> None:
    sizes = {name: docker.from_env().images.get(name).attrs["Size"] / 10**6 for name in (NGINX, CMS, NODE)}
    assert sizes[NGINX] < 200
    assert sizes[CMS] < 200
    assert sizes[NODE] < 320


def test_the_pages_end_what_is_under_way(site: Site) -> None:
    code, seconds = stop(site.node)
    assert (code, seconds < 10) == (0, True)
    site.node.start()
    until(lambda: answers(site.url), "the pages answer again", 30, last_lines(site.node))


def address(container: Any) -> str:
    """Of a container in the stage's network."""
    container.reload()
    networks = container.attrs["NetworkSettings"]["Networks"]
    return str(next(iter(networks.values()))["IPAddress"])
