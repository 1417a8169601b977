//! Recorded traffic: the project's own, and public captures that lie beside the checkout.

use std::path::{Path, PathBuf};
use std::time::Duration;

use pcap_parser::traits::PcapReaderIterator;
use pcap_parser::{LegacyPcapReader, PcapBlockOwned, PcapError};

/// One frame with its time stamp.
pub struct Recorded {
    pub stamp: Duration,
    pub bytes: Vec<u8>,
}

/// Every capture that is there: name and frames. Prints which folder is absent.
pub fn all() -> Vec<(String, Vec<Recorded>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files: Vec<PathBuf> = Vec::new();
    for folder in [root.join("captures"), root.join("../shared/captures")] {
        match std::fs::read_dir(&folder) {
            Ok(entries) => files.extend(entries.flatten().map(|e| e.path())),
            Err(_) => println!("no captures in {}: skipped", folder.display()),
        }
    }
    files.retain(|f| f.extension().is_some_and(|e| e == "pcap"));
    files.sort();
    // The project's own captures lie in both folders.
    files.dedup_by_key(|f| f.file_name().map(|n| n.to_owned()));
    assert!(
        !files.is_empty(),
        "the project's own captures must be there"
    );
    files
        .iter()
        .map(|f| {
            (
                f.file_name().unwrap().to_string_lossy().into_owned(),
                read(f),
            )
        })
        .collect()
}

fn read(path: &Path) -> Vec<Recorded> {
    let file = std::fs::File::open(path).unwrap();
    let mut reader = LegacyPcapReader::new(1 << 20, file).unwrap();
    let mut frames = Vec::new();
    loop {
        match reader.next() {
            Ok((used, block)) => {
                if let PcapBlockOwned::Legacy(packet) = block {
                    let stamp =
                        Duration::new(packet.ts_sec.into(), packet.ts_usec.saturating_mul(1000));
                    let bytes = packet.data.to_vec();
                    frames.push(Recorded { stamp, bytes });
                }
                reader.consume(used);
            }
            Err(PcapError::Eof) => return frames,
            Err(PcapError::Incomplete(_)) => reader.refill().unwrap(),
            Err(error) => panic!("{}: {error}", path.display()),
        }
    }
}
