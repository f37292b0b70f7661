"""Which iptables rules `down` removes."""

from __future__ import annotations

import pytest

from scheduler.devcluster import firewall

OURS = r"""*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:KUBE-SERVICES - [0:0]
:KUBE-SVC-NPX46M4PTMTKRN6Y - [0:0]
:CNI-0123456789abcdef01234567 - [0:0]
:CNI-HOSTPORT-MASQ - [0:0]
:DOCKER - [0:0]
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 10.217.0.2/32 -m comment --comment "name: \"modelops\" id: \"0a\"" -j CNI-0123456789abcdef01234567
-A KUBE-SERVICES -d 10.217.16.1/32 -j KUBE-SVC-NPX46M4PTMTKRN6Y
-A CNI-0123456789abcdef01234567 -d 10.217.0.0/20 -m comment --comment "name: \"modelops\" id: \"0a\"" -j ACCEPT
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:KUBE-ROUTER-INPUT - [0:0]
-A INPUT -m comment --comment "kube-router netpol - 4IA2" -j KUBE-ROUTER-INPUT
-A FORWARD -i eth0 -j ACCEPT
COMMIT
"""

EXPECTED = r"""*nat
:KUBE-SERVICES - [0:0]
:KUBE-SVC-NPX46M4PTMTKRN6Y - [0:0]
:CNI-0123456789abcdef01234567 - [0:0]
:CNI-HOSTPORT-MASQ - [0:0]
-D PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-D POSTROUTING -s 10.217.0.2/32 -m comment --comment "name: \"modelops\" id: \"0a\"" -j CNI-0123456789abcdef01234567
-X KUBE-SERVICES
-X KUBE-SVC-NPX46M4PTMTKRN6Y
-X CNI-0123456789abcdef01234567
-X CNI-HOSTPORT-MASQ
COMMIT
*filter
:KUBE-ROUTER-INPUT - [0:0]
-D INPUT -m comment --comment "kube-router netpol - 4IA2" -j KUBE-ROUTER-INPUT
-X KUBE-ROUTER-INPUT
COMMIT
"""


def test_chains_go_with_the_rules_that_lead_to_them_and_all_others_stay() -> None:
    assert firewall.removal(OURS) == EXPECTED


@pytest.mark.parametrize("saved", ["", "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -i lo -j ACCEPT\nCOMMIT\n"])
def test_nothing_is_asked_where_nothing_of_ours_is(saved: str) -> None:
    assert firewall.removal(saved) == ""


def test_another_container_network_keeps_its_chains_and_those_it_shares() -> None:
    podman = OURS.replace('name: \\"modelops\\"', 'name: \\"podman\\"')
    removed = firewall.removal(podman)
    assert "CNI-" not in removed
    assert "KUBE-SERVICES" in removed
