//! Which addresses a request may be sent to: a public name must not lead inside.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::grant::Reach;

/// Where an address leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Zone {
    Public,
    /// This machine, a private network, or a carrier's.
    Private,
    /// The link: where clouds answer with credentials.
    LinkLocal,
    /// Nowhere that answers one request: unspecified, multicast, reserved.
    Nowhere,
}

/// Returns whether a request that names `host` and may reach so far may be sent to this address.
pub(super) fn allowed(address: IpAddr, host: &str, reach: Reach) -> bool {
    match zone(address) {
        Zone::Public => true,
        Zone::Private => reach == Reach::Private,
        Zone::LinkLocal => reach == Reach::Private && host.parse() == Ok(address),
        Zone::Nowhere => false,
    }
}

/// Returns whether an address is one that a rule reaches once it says `private`, whatever its name.
pub(super) fn is_private(address: IpAddr) -> bool {
    zone(address) == Zone::Private
}

/// Returns why no line to copy opens the way to an address that is neither public nor private; `None` for those that are.
pub(super) fn is_closed(address: IpAddr) -> Option<&'static str> {
    match zone(address) {
        Zone::Public | Zone::Private => None,
        Zone::LinkLocal => Some(
            "a link-local address, where clouds keep credentials: a rule reaches one only when it names the address itself as its \
             host and says `private`, and no line to copy is made of that",
        ),
        Zone::Nowhere => Some("an address of nobody, to which no rule leads"),
    }
}

fn zone(address: IpAddr) -> Zone {
    match address {
        IpAddr::V4(address) => zone_v4(address),
        IpAddr::V6(address) => match embedded(address) {
            Some(inner) => zone_v4(inner),
            None => zone_v6(address),
        },
    }
}

fn zone_v4(address: Ipv4Addr) -> Zone {
    let [first, second, third, _] = address.octets();
    match (first, second, third) {
        (169, 254, _) => Zone::LinkLocal,
        (127 | 10, ..) | (192, 168, _) | (172, 16..=31, _) | (100, 64..=127, _) => Zone::Private,
        // Benchmarking, documentation and protocol assignments are nobody's; 0/8 is this machine to some systems.
        (0 | 224..=255, ..) | (192, 0, 0 | 2) | (198, 18..=19, _) | (198, 51, 100) | (203, 0, 113) => Zone::Nowhere,
        _ => Zone::Public,
    }
}

fn zone_v6(address: Ipv6Addr) -> Zone {
    let first = address.segments()[0];
    // The one metadata service of a cloud that is not on the link, but in a unique local range.
    let metadata = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    if address == metadata || first & 0xffc0 == 0xfe80 {
        Zone::LinkLocal
    } else if address.is_loopback() || first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfec0 {
        Zone::Private
    } else if address.is_unspecified() || address.is_multicast() || first & 0xe000 != 0x2000 {
        Zone::Nowhere
    } else {
        Zone::Public
    }
}

/// Returns the IPv4 address that an IPv6 address leads to: mapped, by NAT64, or by 6to4.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let segments = address.segments();
    let of = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Some(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => of(high, low),
        [0x2002, high, low, ..] => of(high, low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_rule_reaches_nothing_inside() {
        let inside = [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.0.1",
            "100.64.0.1",
            "169.254.169.254",
            "0.0.0.0",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "fd00:ec2::254",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:7f00:1::",
        ];
        for address in inside {
            assert!(!allowed(address.parse().expect("an address"), "example.com", Reach::Public), "{address}");
        }
        for address in ["93.184.216.34", "2606:2800:220:1::1", "::ffff:8.8.8.8"] {
            assert!(allowed(address.parse().expect("an address"), "example.com", Reach::Public), "{address}");
        }
    }

    #[test]
    fn the_link_is_reached_only_by_its_literal_address() {
        let metadata = "169.254.169.254";
        let address = metadata.parse().expect("an address");
        assert!(!allowed(address, "metadata.internal", Reach::Private));
        assert!(allowed(address, metadata, Reach::Private));
        assert!(!allowed(address, metadata, Reach::Public));
    }

    #[test]
    fn a_line_to_copy_opens_private_addresses_alone() {
        for (address, private) in [("10.0.0.1", true), ("::1", true), ("8.8.8.8", false)] {
            let address = address.parse().expect("an address");
            assert_eq!((is_private(address), is_closed(address)), (private, None), "{address}");
        }
        for (address, why) in [("169.254.169.254", "link-local"), ("fd00:ec2::254", "link-local"), ("0.0.0.0", "nobody")] {
            let address = address.parse().expect("an address");
            assert!(!is_private(address) && is_closed(address).is_some_and(|said| said.contains(why)), "{address}");
        }
    }
}
