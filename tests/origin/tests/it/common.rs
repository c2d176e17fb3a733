//! What the tests share: small ways to ask a stream, by virtual time or over a socket.

use std::collections::HashMap;
use std::io::Read;
use std::net::SocketAddr;

use hlsops_origin::answer::{Answer, Resource};
use hlsops_origin::media::Media;
use hlsops_origin::stream::Stream;
use hlsops_origin::{Container, Layout, SegmentLength, StreamSpec};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A time tests start at. Unit: milliseconds since 1970.
pub(crate) const T0: u64 = 1_800_000_000_000;

pub(crate) fn media() -> &'static Media {
    Media::load().unwrap()
}

pub(crate) fn spec(layout: Layout, container: Container, segment: SegmentLength) -> StreamSpec {
    StreamSpec { layout, container, segment, ..StreamSpec::DEFAULT }
}

/// Muxed, TS, 2 s.
pub(crate) fn small() -> StreamSpec {
    spec(Layout::Media, Container::Ts, SegmentLength::S2)
}

pub(crate) fn stream(spec: StreamSpec) -> Stream {
    Stream::new("test", spec, media(), T0)
}

/// Asks in virtual time, without a network.
#[track_caller]
pub(crate) fn ask(stream: &Stream, path: &str, at_ms: u64) -> Answer {
    stream.answer(&Resource::locate(stream.spec(), path, false).unwrap(), at_ms)
}

/// A media playlist in virtual time, read back by m3u8-rs.
#[track_caller]
pub(crate) fn list(stream: &Stream, path: &str, at_ms: u64) -> m3u8_rs::MediaPlaylist {
    let answer = ask(stream, path, at_ms);
    assert_eq!(answer.status, 200, "{path}");
    m3u8_rs::parse_media_playlist_res(&answer.body).unwrap()
}

pub(crate) fn uris(list: &m3u8_rs::MediaPlaylist) -> Vec<&str> {
    list.segments.iter().map(|segment| segment.uri.as_str()).collect()
}

/// An answer as it came over the socket.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
    /// All bytes announced by Content-Length came.
    pub(crate) whole: bool,
}

impl Reply {
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name} in {:?}", self.headers))
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn unzipped(&self) -> String {
        let mut text = String::new();
        flate2::read::GzDecoder::new(&self.body[..]).read_to_string(&mut text).unwrap();
        text
    }
}

pub(crate) async fn get(address: SocketAddr, path: &str) -> Reply {
    send(address, "GET", path, &[], "").await
}

/// One request on a connection of its own.
pub(crate) async fn send(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Reply {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    request += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut raw = Vec::new();
    // A reset in the middle is one of the faults; what came before it counts.
    let _ = socket.read_to_end(&mut raw).await;
    read_reply(&raw, method == "HEAD")
}

fn read_reply(raw: &[u8], head: bool) -> Reply {
    let end = raw.windows(4).position(|four| four == b"\r\n\r\n").expect("a whole header");
    let text = std::str::from_utf8(&raw[..end]).unwrap();
    let mut lines = text.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: HashMap<String, String> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let body = raw[end + 4..].to_vec();
    let announced = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    Reply { status, headers, whole: head || body.len() == announced, body }
}
