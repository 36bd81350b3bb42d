//! A body that is read line by line as it comes.

use std::collections::VecDeque;
use std::time::Duration;

use actix_web::rt::time::timeout;
use actix_web::web::Payload;
use futures_util::StreamExt as _;

/// The longest line, in bytes.
const MAX_LINE: usize = 64 * 1024;
/// The most bytes in all.
const MAX_BYTES: usize = 256 * 1024 * 1024;
/// How long the next piece may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why there are no more lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum BrokenBody {
    /// A line without end.
    #[error("a line has more than 65536 bytes, or a quote is never closed")]
    LongLine,
    /// More than is taken.
    #[error("the body has more than 268435456 bytes")]
    TooLarge,
    /// Something that is no text.
    #[error("the body is not UTF-8")]
    NotText,
    /// Nothing comes any more.
    #[error("the body broke off")]
    BrokenOff,
}

/// Lines of a body. With `quoted`, what stands in double quotes may have more than one line.
pub(super) struct Lines {
    payload: Payload,
    cutter: Cutter,
    ready: VecDeque<String>,
    read: usize,
    has_ended: bool,
    /// Why nothing comes after the lines that are ready.
    broken: Option<BrokenBody>,
}

impl Lines {
    pub(super) fn new(payload: Payload, quoted: bool) -> Self {
        let cutter = Cutter { quoted, ..Cutter::default() };
        Self { payload, cutter, ready: VecDeque::new(), read: 0, has_ended: false, broken: None }
    }

    /// The next line that is not empty, without its end.
    pub(super) async fn next(&mut self) -> Result<Option<String>, BrokenBody> {
        loop {
            if let Some(line) = self.ready.pop_front() {
                return Ok(Some(line));
            }
            if let Some(broken) = self.broken {
                return Err(broken);
            }
            if self.has_ended {
                return Ok(None);
            }
            match timeout(PATIENCE, self.payload.next()).await {
                Ok(Some(Ok(bytes))) => {
                    self.read += bytes.len();
                    if self.read > MAX_BYTES {
                        return Err(BrokenBody::TooLarge);
                    }
                    self.broken = self.cutter.add(&bytes, &mut self.ready).err();
                }
                Ok(None) => {
                    self.has_ended = true;
                    self.broken = self.cutter.end(&mut self.ready).err();
                }
                Ok(Some(Err(_))) | Err(_) => return Err(BrokenBody::BrokenOff),
            }
        }
    }
}

#[derive(Default)]
struct Cutter {
    quoted: bool,
    is_inside: bool,
    line: Vec<u8>,
}

impl Cutter {
    fn add(&mut self, bytes: &[u8], ready: &mut VecDeque<String>) -> Result<(), BrokenBody> {
        for byte in bytes {
            self.is_inside ^= self.quoted && *byte == b'"';
            if *byte == b'\n' && !self.is_inside {
                self.cut(ready)?;
            } else {
                self.line.push(*byte);
                if self.line.len() > MAX_LINE {
                    return Err(BrokenBody::LongLine);
                }
            }
        }
        Ok(())
    }

    fn end(&mut self, ready: &mut VecDeque<String>) -> Result<(), BrokenBody> {
        if self.is_inside { Err(BrokenBody::LongLine) } else { self.cut(ready) }
    }

    fn cut(&mut self, ready: &mut VecDeque<String>) -> Result<(), BrokenBody> {
        let mut line = String::from_utf8(std::mem::take(&mut self.line)).map_err(|_| BrokenBody::NotText)?;
        if line.ends_with('\r') {
            line.pop();
        }
        if !line.trim().is_empty() {
            ready.push_back(line);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn cut(text: &str, size: usize, quoted: bool) -> Result<Vec<String>, BrokenBody> {
        let (mut cutter, mut ready) = (Cutter { quoted, ..Cutter::default() }, VecDeque::new());
        for piece in text.as_bytes().chunks(size) {
            cutter.add(piece, &mut ready)?;
        }
        cutter.end(&mut ready)?;
        Ok(ready.into())
    }

    #[test]
    fn lines_are_the_same_however_they_come() {
        for size in 1..20 {
            assert_eq!(cut("a\r\n\n \"x\ny\",é\nlast", size, true).unwrap(), ["a", " \"x\ny\",é", "last"]);
            assert_eq!(cut("a\n\"\nb", size, false).unwrap(), ["a", "\"", "b"]);
        }
        assert_eq!(cut("a\n\"b\n", 3, true), Err(BrokenBody::LongLine));
        assert_eq!(cut(&"x".repeat(MAX_LINE + 1), 1_000, false), Err(BrokenBody::LongLine));
    }
}
