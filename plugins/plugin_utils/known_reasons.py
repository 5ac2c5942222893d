"""AWS's words for what an inventory can mend, and the lines that mend it."""

from __future__ import annotations

import re

KNOWN: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), sentence)
    for pattern, sentence in (
        # https://github.com/ine-labs/AWSGoat/issues/71 has the words.
        (
            r"Launch Configuration creation operation is not available",
            "Set host_launch_source: launch_template; the hosts are the same.",
        ),
        (
            r"Tried to create resource record set .* but it already exists",
            "The domain is in use. Type the same command with -e dns_switch=true to take it over once the site works, "
            "or leave hosted_zone_id empty. The right route53:ListResourceRecordSets is needed for that switch.",
        ),
        # https://repost.aws/knowledge-center/ec2-instance-type-not-supported-az-error has EC2's words.
        (
            r"UnsupportedAvailabilityZone|is not supported in ((the|your) )?(requested )?Availability Zone",
            "Name two other zones of the region in network_availability_zones; with network_vpc_id, subnets in others.",
        ),
        (
            r"Client\.InternalError: Client error on launch",
            "Mostly Auto Scaling may not use the key that encrypts the volumes: the account's default for EBS "
            "(aws ec2 get-ebs-default-kms-key-id). Give its role AWSServiceRoleForAutoScaling a grant for it.",
        ),
        (
            r"HttpTokens|IMDSv2",
            "Set host_imds_tokens: required (and driver: efs in site_volumes, as rexray speaks IMDSv1 only).",
        ),
        (
            r"key pair .* does not exist|InvalidKeyPair",
            "Set host_key_name to a key pair of this region, or leave it empty.",
        ),
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html has the words.
        (
            r"(?:User: (?P<who>\S+) )?is not authorized to perform(?:: (?P<action>[\w-]+:\w+))?(?!.*explicit deny)",
            r"\g<who> lacks the right \g<action>. If that is who types the verbs, write the policies anew (python "
            r"scripts/operator_policy.py --site <site_name> --region <aws_region> --account <account>), attach them; "
            r"if it is a role of the site's, ansible-playbook site.yml brings it up to date.",
        ),
    )
)
"""What is found in a reason, and what to type: a template of `Match.expand`.

Preflight asks for most of it; what it could not ask ends up here.
"""


def explained(reason: str) -> str:
    """A reason of AWS, with what to type behind it where that is known."""
    found = [(pattern.search(reason), sentence) for pattern, sentence in KNOWN]
    told = [match.expand(sentence) for match, sentence in found if match and None not in match.groupdict().values()]
    return " ".join([reason.rstrip(), *(each for each in told if each not in reason)])
