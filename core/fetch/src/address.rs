//! Which addresses are globally routable. A table, because `IpAddr::is_global` of the standard
//! library is unstable and because a table can be read next to its source.
//!
//! Source: the IANA special-purpose address registries,
//! <https://www.iana.org/assignments/iana-ipv4-special-registry> and
//! <https://www.iana.org/assignments/iana-ipv6-special-registry>, and the address space
//! registries for multicast and unallocated space. Where a registry calls a block reachable
//! only through a translator or tunnel (NAT64, 6to4, Teredo) it is refused here, because such an
//! address can carry a private one inside.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// One block of addresses that the guard refuses, with the name the registry gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// The block in prefix notation, such as `10.0.0.0/8`.
    pub prefix: &'static str,
    /// What the block is for, such as `private use`.
    pub purpose: &'static str,
}

impl std::fmt::Display for Block {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, {}", self.prefix, self.purpose)
    }
}

/// The block that makes `address` not globally routable, or `None` for a public address.
///
/// An IPv4-mapped IPv6 address (`::ffff:a.b.c.d`) is judged by the IPv4 address inside it.
#[must_use]
pub fn special_block(address: IpAddr) -> Option<Block> {
    match address {
        IpAddr::V4(v4) => special_v4(v4),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(inner) => special_v4(inner),
            None => special_v6(v6),
        },
    }
}

fn special_v4(address: Ipv4Addr) -> Option<Block> {
    let bits = address.to_bits();
    V4.iter()
        .find(|row| bits >> (32 - row.length) == row.network.to_bits() >> (32 - row.length))
        .map(|row| row.block)
}

fn special_v6(address: Ipv6Addr) -> Option<Block> {
    let bits = address.to_bits();
    V6.iter()
        .find(|row| bits >> (128 - row.length) == row.network.to_bits() >> (128 - row.length))
        .map(|row| row.block)
        .or_else(|| (bits >> 125 != 0b001).then_some(NOT_UNICAST))
}

/// Only 2000::/3 is allocated as global unicast (IANA IPv6 address space registry); whatever
/// lies outside and has no row of its own is refused under this name.
const NOT_UNICAST: Block = Block { prefix: "outside 2000::/3", purpose: "not global unicast" };

struct Row<A> {
    network: A,
    /// Prefix length in bits, at least 1.
    length: u32,
    block: Block,
}

const fn v4(prefix: &'static str, network: [u8; 4], length: u32, purpose: &'static str) -> Row<Ipv4Addr> {
    let [a, b, c, d] = network;
    Row { network: Ipv4Addr::new(a, b, c, d), length, block: Block { prefix, purpose } }
}

/// `first` holds the first 64 bits: no block's network has a bit set behind them but `::1`.
const fn v6(prefix: &'static str, first: u64, length: u32, purpose: &'static str) -> Row<Ipv6Addr> {
    let network = Ipv6Addr::from_bits((first as u128) << 64);
    Row { network, length, block: Block { prefix, purpose } }
}

const V4: &[Row<Ipv4Addr>] = &[
    v4("0.0.0.0/8", [0, 0, 0, 0], 8, "this network (RFC 791)"),
    v4("10.0.0.0/8", [10, 0, 0, 0], 8, "private use (RFC 1918)"),
    v4("100.64.0.0/10", [100, 64, 0, 0], 10, "shared address space (RFC 6598)"),
    v4("127.0.0.0/8", [127, 0, 0, 0], 8, "loopback (RFC 1122)"),
    v4("169.254.0.0/16", [169, 254, 0, 0], 16, "link local (RFC 3927)"),
    v4("172.16.0.0/12", [172, 16, 0, 0], 12, "private use (RFC 1918)"),
    v4("192.0.0.0/24", [192, 0, 0, 0], 24, "IETF protocol assignments (RFC 6890)"),
    v4("192.0.2.0/24", [192, 0, 2, 0], 24, "documentation (RFC 5737)"),
    v4("192.88.99.0/24", [192, 88, 99, 0], 24, "6to4 relay, deprecated (RFC 7526)"),
    v4("192.168.0.0/16", [192, 168, 0, 0], 16, "private use (RFC 1918)"),
    v4("198.18.0.0/15", [198, 18, 0, 0], 15, "benchmarking (RFC 2544)"),
    v4("198.51.100.0/24", [198, 51, 100, 0], 24, "documentation (RFC 5737)"),
    v4("203.0.113.0/24", [203, 0, 113, 0], 24, "documentation (RFC 5737)"),
    v4("224.0.0.0/4", [224, 0, 0, 0], 4, "multicast (RFC 5771)"),
    v4("240.0.0.0/4", [240, 0, 0, 0], 4, "reserved, and limited broadcast (RFC 1112, RFC 919)"),
];

const LOOPBACK_V6: Row<Ipv6Addr> = Row {
    network: Ipv6Addr::LOCALHOST,
    length: 128,
    block: Block { prefix: "::1/128", purpose: "loopback (RFC 4291)" },
};

const V6: &[Row<Ipv6Addr>] = &[
    v6("::/128", 0, 128, "unspecified (RFC 4291)"),
    LOOPBACK_V6,
    v6("::/96", 0, 96, "IPv4-compatible, deprecated (RFC 4291)"),
    v6("64:ff9b::/96", 0x0064ff9b00000000, 96, "NAT64 (RFC 6052)"),
    v6("64:ff9b:1::/48", 0x0064ff9b00010000, 48, "local NAT64 (RFC 8215)"),
    v6("100::/64", 0x0100000000000000, 64, "discard only (RFC 6666)"),
    v6("2001::/32", 0x2001000000000000, 32, "Teredo (RFC 4380)"),
    v6("2001::/23", 0x2001000000000000, 23, "IETF protocol assignments (RFC 2928)"),
    v6("2001:db8::/32", 0x20010db800000000, 32, "documentation (RFC 3849)"),
    v6("2002::/16", 0x2002000000000000, 16, "6to4 (RFC 3056)"),
    v6("3fff::/20", 0x3fff000000000000, 20, "documentation (RFC 9637)"),
    v6("5f00::/16", 0x5f00000000000000, 16, "segment routing (RFC 9602)"),
    v6("fc00::/7", 0xfc00000000000000, 7, "unique local (RFC 4193)"),
    v6("fe80::/10", 0xfe80000000000000, 10, "link local (RFC 4291)"),
    v6("fec0::/10", 0xfec0000000000000, 10, "site local, deprecated (RFC 3879)"),
    v6("ff00::/8", 0xff00000000000000, 8, "multicast (RFC 4291)"),
];

#[cfg(test)]
mod tests {
    use super::special_block;

    #[track_caller]
    fn check(address: &str, expected_prefix: Option<&str>) {
        let found = special_block(address.parse().unwrap());
        assert_eq!(found.map(|block| block.prefix), expected_prefix, "{address}");
    }

    #[test]
    fn each_block_is_refused_at_both_ends() {
        for (first, last, prefix) in [
            ("0.0.0.0", "0.255.255.255", "0.0.0.0/8"),
            ("10.0.0.0", "10.255.255.255", "10.0.0.0/8"),
            ("100.64.0.0", "100.127.255.255", "100.64.0.0/10"),
            ("127.0.0.0", "127.255.255.255", "127.0.0.0/8"),
            ("169.254.0.0", "169.254.255.255", "169.254.0.0/16"),
            ("172.16.0.0", "172.31.255.255", "172.16.0.0/12"),
            ("192.0.0.0", "192.0.0.255", "192.0.0.0/24"),
            ("192.0.2.0", "192.0.2.255", "192.0.2.0/24"),
            ("192.88.99.0", "192.88.99.255", "192.88.99.0/24"),
            ("192.168.0.0", "192.168.255.255", "192.168.0.0/16"),
            ("198.18.0.0", "198.19.255.255", "198.18.0.0/15"),
            ("198.51.100.0", "198.51.100.255", "198.51.100.0/24"),
            ("203.0.113.0", "203.0.113.255", "203.0.113.0/24"),
            ("224.0.0.0", "239.255.255.255", "224.0.0.0/4"),
            ("240.0.0.0", "255.255.255.255", "240.0.0.0/4"),
            ("::", "::", "::/128"),
            ("::1", "::1", "::1/128"),
            ("::2", "::7f00:1", "::/96"),
            ("64:ff9b::", "64:ff9b::ffff:ffff", "64:ff9b::/96"),
            ("64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "64:ff9b:1::/48"),
            ("100::", "100::ffff:ffff:ffff:ffff", "100::/64"),
            ("2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", "2001::/32"),
            ("2001:1::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "2001::/23"),
            ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8::/32"),
            ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2002::/16"),
            ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff::/20"),
            ("5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "5f00::/16"),
            ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fc00::/7"),
            ("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fe80::/10"),
            ("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fec0::/10"),
            ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ff00::/8"),
            ("4000::", "5eff::1", "outside 2000::/3"),
            ("::ffff:10.0.0.0", "::ffff:10.255.255.255", "10.0.0.0/8"),
        ] {
            check(first, Some(prefix));
            check(last, Some(prefix));
        }
    }

    #[test]
    fn the_neighbours_of_each_block_are_public() {
        for address in [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "191.255.255.255",
            "192.0.1.0",
            "192.0.3.0",
            "192.88.98.255",
            "192.88.100.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "198.51.99.255",
            "198.51.101.0",
            "203.0.112.255",
            "203.0.114.0",
            "223.255.255.255",
            "8.8.8.8",
            "::ffff:8.8.8.8",
            "2000::",
            "2001:200::",
            "2001:db7:ffff::",
            "2001:db9::",
            "2001:4860:4860::8888",
            "2003::",
            "2606:4700::1",
            "3ffe:ffff::1",
            "3fff:1000::",
        ] {
            check(address, None);
        }
    }
}
