//! Packets of SFTP version 3 (draft-ietf-secsh-filexfer-02), the version that servers speak.
//!
//! Handles are bytes, not text: a server may put anything into one. Names are bytes on the wire and
//! become text where they are read.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use lockgate_connector_api::files::{Attributes, What};
use lockgate_model::Timestamp;

/// Longest packet taken from a server: 256 KiB of content and its head, as OpenSSH holds it.
pub(crate) const PACKET_BYTES_MAX: usize = (256 << 10) + 1024;

/// How a file is opened (§6.3).
#[derive(Debug, Clone, Copy)]
pub(crate) enum Open {
    /// For reading.
    Read,
    /// A new one for writing; there must be none of that name.
    New,
    /// One for writing that is empty, whether there was one or not.
    Over,
    /// One that is there, for writing over what is in it.
    There,
}

/// A request, but for the content of a write.
#[derive(Debug, Clone)]
pub(crate) enum Request<'a> {
    Init,
    Open(&'a str, Open),
    Close(&'a Bytes),
    Read {
        handle: &'a Bytes,
        offset: u64,
        length: u32,
    },
    /// `length` bytes of content follow the packet.
    Write {
        handle: &'a Bytes,
        offset: u64,
        length: u32,
    },
    /// Attributes of a link itself.
    LinkStat(&'a str),
    Stat(&'a str),
    HandleStat(&'a Bytes),
    OpenFolder(&'a str),
    ReadFolder(&'a Bytes),
    Remove(&'a str),
    MakeFolder(&'a str),
    RemoveFolder(&'a str),
    RealPath(&'a str),
    Rename(&'a str, &'a str),
    /// `posix-rename@openssh.com`: replaces what is there, in one step.
    PosixRename(&'a str, &'a str),
    /// `fsync@openssh.com`.
    Fsync(&'a Bytes),
    /// `limits@openssh.com`.
    Limits,
}

/// Extensions that are used where the server names them in its greeting.
pub(crate) const POSIX_RENAME: &str = "posix-rename@openssh.com";
pub(crate) const FSYNC: &str = "fsync@openssh.com";
pub(crate) const LIMITS: &str = "limits@openssh.com";

impl Request<'_> {
    /// The packet, length first; `id` has no place in the first one.
    pub fn packet(&self, id: u32) -> Bytes {
        let mut out = BytesMut::with_capacity(128);
        out.put_u32(0);
        let mut following = 0;
        match self {
            Self::Init => {
                out.put_u8(1);
                out.put_u32(3);
            }
            Self::Open(path, how) => {
                head(&mut out, 3, id);
                string(&mut out, path.as_bytes());
                out.put_u32(match how {
                    Open::Read => 0x01,
                    Open::New => 0x02 | 0x08 | 0x20,
                    Open::Over => 0x02 | 0x08 | 0x10,
                    Open::There => 0x02,
                });
                out.put_u32(0);
            }
            Self::Close(handle) => one(&mut out, 4, id, handle),
            Self::Read { handle, offset, length } => {
                one(&mut out, 5, id, handle);
                out.put_u64(*offset);
                out.put_u32(*length);
            }
            Self::Write { handle, offset, length } => {
                one(&mut out, 6, id, handle);
                out.put_u64(*offset);
                out.put_u32(*length);
                following = *length as usize;
            }
            Self::LinkStat(path) => one(&mut out, 7, id, path.as_bytes()),
            Self::HandleStat(handle) => one(&mut out, 8, id, handle),
            Self::OpenFolder(path) => one(&mut out, 11, id, path.as_bytes()),
            Self::ReadFolder(handle) => one(&mut out, 12, id, handle),
            Self::Remove(path) => one(&mut out, 13, id, path.as_bytes()),
            Self::MakeFolder(path) => {
                one(&mut out, 14, id, path.as_bytes());
                out.put_u32(0);
            }
            Self::RemoveFolder(path) => one(&mut out, 15, id, path.as_bytes()),
            Self::RealPath(path) => one(&mut out, 16, id, path.as_bytes()),
            Self::Stat(path) => one(&mut out, 17, id, path.as_bytes()),
            Self::Rename(from, to) => {
                one(&mut out, 18, id, from.as_bytes());
                string(&mut out, to.as_bytes());
            }
            Self::PosixRename(from, to) => {
                one(&mut out, 200, id, POSIX_RENAME.as_bytes());
                string(&mut out, from.as_bytes());
                string(&mut out, to.as_bytes());
            }
            Self::Fsync(handle) => {
                one(&mut out, 200, id, FSYNC.as_bytes());
                string(&mut out, handle);
            }
            Self::Limits => one(&mut out, 200, id, LIMITS.as_bytes()),
        }
        let length = size(out.len() + following - 4);
        if let Some(place) = out.first_chunk_mut::<4>() {
            *place = length.to_be_bytes();
        }
        out.freeze()
    }
}

fn head(out: &mut BytesMut, kind: u8, id: u32) {
    out.put_u8(kind);
    out.put_u32(id);
}

fn one(out: &mut BytesMut, kind: u8, id: u32, text: &[u8]) {
    head(out, kind, id);
    string(out, text);
}

fn string(out: &mut BytesMut, text: &[u8]) {
    out.put_u32(size(text.len()));
    out.put_slice(text);
}

/// Paths, handles and contents are bounded far below.
fn size(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// What a server answers.
#[derive(Debug)]
pub(crate) enum Reply {
    /// Names of its extensions.
    Version(u32, Vec<Bytes>),
    /// A status (§7): code and the server's words.
    Status(u32, String),
    Handle(Bytes),
    Data(Bytes),
    Names(Vec<Named>),
    Attributes(Attributes),
    Extended(Bytes),
}

/// An entry of a folder.
#[derive(Debug)]
pub(crate) struct Named {
    pub name: Bytes,
    pub attributes: Attributes,
}

/// The bytes are not what the protocol says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// The first whole packet of what has arrived: its id (none in the greeting) and the answer.
pub(crate) fn take(arrived: &mut BytesMut) -> Result<Option<(Option<u32>, Reply)>, Malformed> {
    let Some(length) = arrived.first_chunk::<4>() else { return Ok(None) };
    let length = u32::from_be_bytes(*length) as usize;
    if length == 0 || length > PACKET_BYTES_MAX {
        return Err(Malformed);
    }
    if arrived.len() < 4 + length {
        // One allocation for the whole packet, instead of a growing one.
        arrived.reserve(4 + length - arrived.len());
        return Ok(None);
    }
    let mut packet = arrived.split_to(4 + length).freeze();
    packet.advance(4);
    let kind = packet.try_get_u8().map_err(|_| Malformed)?;
    if kind == 2 {
        return version(packet).map(|reply| Some((None, reply)));
    }
    let id = packet.try_get_u32().map_err(|_| Malformed)?;
    let reply = match kind {
        101 => {
            let code = packet.try_get_u32().map_err(|_| Malformed)?;
            // The words came with version 3; a server of version 2 may leave them out.
            let words = text(&mut packet).unwrap_or_default();
            Reply::Status(code, String::from_utf8_lossy(&words).into_owned())
        }
        102 => Reply::Handle(text(&mut packet).ok().filter(|h| h.len() <= 256).ok_or(Malformed)?),
        103 => Reply::Data(text(&mut packet)?),
        104 => names(packet)?,
        105 => Reply::Attributes(attributes(&mut packet)?),
        201 => Reply::Extended(packet),
        _ => return Err(Malformed),
    };
    Ok(Some((Some(id), reply)))
}

fn version(mut packet: Bytes) -> Result<Reply, Malformed> {
    let version = packet.try_get_u32().map_err(|_| Malformed)?;
    let mut extensions = Vec::new();
    while !packet.is_empty() {
        extensions.push(text(&mut packet)?);
        text(&mut packet)?;
    }
    Ok(Reply::Version(version, extensions))
}

fn names(mut packet: Bytes) -> Result<Reply, Malformed> {
    let count = packet.try_get_u32().map_err(|_| Malformed)? as usize;
    // An entry takes at least 12 bytes, so that a count cannot ask for more memory than it sent.
    let mut entries = Vec::with_capacity(count.min(packet.len() / 12));
    for _ in 0..count {
        let name = text(&mut packet)?;
        text(&mut packet)?;
        entries.push(Named { name, attributes: attributes(&mut packet)? });
    }
    Ok(Reply::Names(entries))
}

/// What a server tells of a file; each part may be missing (§5).
fn attributes(packet: &mut Bytes) -> Result<Attributes, Malformed> {
    let number = |packet: &mut Bytes| packet.try_get_u32().map_err(|_| Malformed);
    let flags = number(packet)?;
    let (mut size, mut mode, mut modified) = (None, None, None);
    if flags & 0x1 != 0 {
        size = Some(packet.try_get_u64().map_err(|_| Malformed)?);
    }
    if flags & 0x2 != 0 {
        number(packet)?;
        number(packet)?;
    }
    if flags & 0x4 != 0 {
        mode = Some(number(packet)?);
    }
    if flags & 0x8 != 0 {
        number(packet)?;
        modified = Some(Timestamp::from_ms(i64::from(number(packet)?) * 1000));
    }
    if flags & 0x8000_0000 != 0 {
        for _ in 0..number(packet)? {
            text(packet)?;
            text(packet)?;
        }
    }
    Ok(Attributes { what: what(mode, size.is_some()), size, modified })
}

/// What a file is, by its POSIX mode.
fn what(mode: Option<u32>, has_size: bool) -> What {
    match mode.map(|mode| mode & 0o170_000) {
        Some(0o100_000) => What::File,
        Some(0o040_000) => What::Folder,
        Some(0o120_000) => What::Link,
        // Some servers leave the kind out; what has a size is a file then.
        None | Some(0) if has_size => What::File,
        _ => What::Other,
    }
}

fn text(packet: &mut Bytes) -> Result<Bytes, Malformed> {
    let length = packet.try_get_u32().map_err(|_| Malformed)? as usize;
    if length > packet.len() {
        return Err(Malformed);
    }
    Ok(packet.split_to(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrived(packet: &[u8]) -> Result<Option<(Option<u32>, Reply)>, Malformed> {
        let mut bytes = BytesMut::new();
        bytes.put_u32(u32::try_from(packet.len()).unwrap());
        bytes.put_slice(packet);
        take(&mut bytes)
    }

    #[test]
    fn what_is_no_packet_is_refused() {
        for packet in [
            &[101][..],
            &[101, 0, 0, 0, 1, 0, 0],
            &[102, 0, 0, 0, 1, 0, 0, 0, 9, b'h'],
            &[103, 0, 0, 0, 1, 255, 255, 255, 255],
            &[104, 0, 0, 0, 1, 255, 255, 255, 255, 0, 0, 0, 1, b'a'],
            &[105, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0],
            &[105, 0, 0, 0, 1, 128, 0, 0, 0, 255, 255, 255, 255],
            &[42, 0, 0, 0, 1],
        ] {
            assert_eq!(arrived(packet).unwrap_err(), Malformed, "{packet:?}");
        }
        assert_eq!(take(&mut BytesMut::from(&[0, 0, 0, 0][..])).unwrap_err(), Malformed);
        assert_eq!(take(&mut BytesMut::from(&[0xff, 0, 0, 0][..])).unwrap_err(), Malformed);
    }

    #[test]
    fn a_packet_is_taken_when_it_is_whole() {
        let mut bytes = BytesMut::from(&[0, 0, 0, 9, 103, 0, 0, 0, 7, 0, 0][..]);
        assert!(take(&mut bytes).unwrap().is_none());
        bytes.put_slice(&[0, 0, 99]);
        let Some((Some(7), Reply::Data(data))) = take(&mut bytes).unwrap() else { panic!("no data") };
        assert!(data.is_empty());
        assert_eq!(&bytes[..], [99]);
    }

    #[test]
    fn a_handle_may_hold_any_bytes() {
        let Some((_, Reply::Handle(handle))) = arrived(&[102, 0, 0, 0, 1, 0, 0, 0, 2, 0xff, 0]).unwrap() else {
            panic!("no handle")
        };
        let packet = Request::Write { handle: &handle, offset: 1, length: 5 }.packet(9);
        assert_eq!(&packet[..], [0, 0, 0, 28, 6, 0, 0, 0, 9, 0, 0, 0, 2, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 5]);
    }
}
