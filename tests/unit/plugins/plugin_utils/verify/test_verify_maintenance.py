"""A site in maintenance is no site that is wrong."""

from __future__ import annotations

from plugins.plugin_utils.verify import maintenance
from plugins.plugin_utils.verify.finding import NOT_ASKED
from tests.unit.plugins.action.test_alb_maintenance import PREFIX, Site, site

__all__ = ["site"]  # the fixture


def test_a_page_is_told_and_not_wrong(site: Site) -> None:
    assert list(maintenance.check(site.aws.client, PREFIX)) == []
    assert list(maintenance.check(site.aws.client, "shop-other")) == [], "which is not up"
    site.typed("on")
    (found,) = maintenance.check(site.aws.client, PREFIX)
    assert (found.check, found.subject, found.what, found.state) == ("way in", "site", "visitors see it", NOT_ASKED)
    assert found.reason.startswith(f"it is in maintenance since {site.rules.since}, which is not wrong")
