//! A store on a real disk.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::*;
use crate::config::{Secret, StorageUrl};

fn store() -> (TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    let store = at(&directory.path().join("media"));
    (directory, store)
}

fn at(path: &Path) -> Store {
    Store::new(&StorageUrl::Directory(path.to_owned())).unwrap()
}

/// Waits until nothing is left of what was written.
async fn emptied(directory: &TempDir) {
    let empty = async {
        while !files(directory).is_empty() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(20), empty).await.expect("it is gone");
}

fn key(number: u128) -> Key {
    let name = Name::Media { id: Uuid::from_u128(number), version: 1 };
    Key { owner: Uuid::from_u128(7), role: Role::File, name }
}

async fn bytes(store: &Store, key: &Key) -> Option<Vec<u8>> {
    match store.open(key).await.unwrap() {
        Some(object) => Some(object.read(1 << 30).await.unwrap()),
        None => None,
    }
}

/// Every file of the store.
fn files(directory: &TempDir) -> Vec<PathBuf> {
    let (mut files, mut directories) = (Vec::new(), vec![directory.path().to_owned()]);
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { directories.push(path) } else { files.push(path) }
        }
    }
    files
}

#[tokio::test]
async fn what_was_written_in_pieces_is_read_as_one() {
    let (directory, store) = store();
    let mut staged = store.stage(100).await.unwrap();
    for piece in ["in ", "", "pieces"] {
        staged.write(piece.as_bytes()).await.unwrap();
    }
    assert_eq!(staged.size(), 9);
    let sealed = staged.seal().await.unwrap();
    assert_eq!((sealed.size(), sealed.sha256().as_slice()), (9, digest(&SHA256, b"in pieces").as_ref()));
    assert_eq!(bytes(&store, &key(1)).await, None, "seen before it was committed");
    sealed.commit(&key(1)).await.unwrap();
    assert_eq!(bytes(&store, &key(1)).await.unwrap(), b"in pieces");
    assert_eq!(store.head(&key(1)).await.unwrap(), Some(9));
    assert_eq!(files(&directory).len(), 1);
    // Another process sees the same
    assert_eq!(bytes(&at(&directory.path().join("media")), &key(1)).await.unwrap(), b"in pieces");
}

#[tokio::test]
async fn only_the_service_may_look() {
    let (directory, store) = store();
    store.put_bytes(&key(1), b"private").await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let [file] = files(&directory).try_into().unwrap();
    assert_eq!(mode(&file), 0o600);
    for above in file.ancestors().skip(1).take_while(|above| *above != directory.path()) {
        assert_eq!(mode(above), 0o700, "{}", above.display());
    }
}

#[tokio::test]
async fn what_is_dropped_on_the_way_is_gone() {
    let (directory, store) = store();
    let mut staged = store.stage(100).await.unwrap();
    staged.write(b"half").await.unwrap();
    assert_eq!(files(&directory).len(), 1);
    drop(staged);
    emptied(&directory).await;
    let staged = store.stage(100).await.unwrap();
    drop(staged.seal().await.unwrap());
    emptied(&directory).await;
}

#[tokio::test]
async fn what_is_taken_back_whole_leaves_nothing() {
    let (directory, store) = store();
    for pieces in [&[][..], &["in ", "pieces"]] {
        let mut staged = store.stage(100).await.unwrap();
        for piece in pieces {
            staged.write(piece.as_bytes()).await.unwrap();
        }
        assert_eq!(staged.take().await.unwrap(), pieces.concat().as_bytes());
        emptied(&directory).await;
    }
}

#[tokio::test]
async fn one_byte_over_the_limit_is_too_large() {
    let (directory, store) = store();
    for (pieces, fits) in [(vec![10], true), (vec![11], false), (vec![9, 1], true), (vec![9, 2], false)] {
        let mut staged = store.stage(10).await.unwrap();
        let mut last = Ok(());
        for length in &pieces {
            last = staged.write(&vec![1; *length]).await;
        }
        match (last, fits) {
            (Ok(()), true) | (Err(Error::TooLarge { limit: 10 }), false) => {}
            (other, _) => panic!("{pieces:?}: {other:?}"),
        }
    }
    emptied(&directory).await;
    store.put_bytes(&key(1), &[]).await.unwrap();
    assert_eq!(store.head(&key(1)).await.unwrap(), Some(0));
    let object = store.open(&key(1)).await.unwrap().unwrap();
    assert!(object.stream(0..10).try_collect::<Vec<_>>().await.unwrap().is_empty());
}

#[tokio::test]
async fn two_writers_of_one_key_leave_one_of_their_objects_whole() {
    let (directory, store) = store();
    let sizes = [300_000, 200_000];
    let write = async |letter: u8, size: usize| {
        let mut staged = store.stage(1_000_000).await.unwrap();
        for chunk in vec![letter; size].chunks(10_000) {
            staged.write(chunk).await.unwrap();
        }
        staged.seal().await.unwrap().commit(&key(1)).await.unwrap();
        let read = bytes(&store, &key(1)).await.unwrap();
        assert!(read.iter().all(|byte| *byte == read[0]) && sizes.contains(&read.len()));
    };
    for _ in 0..10 {
        tokio::join!(write(b'a', sizes[0]), write(b'b', sizes[1]));
    }
    assert_eq!(files(&directory).len(), 1);
}

#[tokio::test]
async fn a_range_is_read_in_chunks() {
    let (_directory, store) = store();
    let whole: Vec<u8> = (0..200_000_u32).map(|i| u8::try_from(i % 251).unwrap()).collect();
    store.put_bytes(&key(1), &whole).await.unwrap();
    for range in [0..200_000, 0..1, 5..5, 65_535..65_537, 199_999..200_000, 1_000..150_000] {
        let object = store.open(&key(1)).await.unwrap().unwrap();
        assert_eq!(object.size(), 200_000);
        let chunks: Vec<Bytes> = object.stream(range.clone()).try_collect().await.unwrap();
        assert!(chunks.iter().all(|chunk| chunk.len() <= CHUNK));
        let range = usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
        assert_eq!(chunks.concat(), whole[range]);
    }
    for (range, length) in [(199_990..u64::MAX, 10), (200_000..200_010, 0), (u64::MAX..u64::MAX, 0)] {
        let object = store.open(&key(1)).await.unwrap().unwrap();
        let chunks: Vec<Bytes> = object.stream(range).try_collect().await.unwrap();
        assert_eq!(chunks.concat().len(), length);
    }
    let object = store.open(&key(1)).await.unwrap().unwrap();
    assert!(matches!(object.read(199_999).await, Err(Error::TooLarge { .. })));
}

#[tokio::test]
async fn who_reads_while_it_is_deleted_reads_on() {
    let (_directory, store) = store();
    store.put_bytes(&key(1), &[1; 3 * CHUNK]).await.unwrap();
    let mut stream = Box::pin(store.open(&key(1)).await.unwrap().unwrap().stream(0..u64::MAX));
    assert_eq!(stream.next().await.unwrap().unwrap().len(), CHUNK);
    store.delete(&key(1)).await.unwrap();
    assert_eq!(stream.try_collect::<Vec<_>>().await.unwrap().concat().len(), 2 * CHUNK);
}

#[tokio::test]
async fn an_object_that_shrinks_under_its_reader_is_an_error_and_not_a_short_photo() {
    let (directory, store) = store();
    store.put_bytes(&key(1), &[1; 3 * CHUNK]).await.unwrap();
    let object = store.open(&key(1)).await.unwrap().unwrap();
    let [file] = files(&directory).try_into().unwrap();
    File::options().write(true).open(file).unwrap().set_len(10).unwrap();
    assert!(matches!(object.stream(0..u64::MAX).try_collect::<Vec<_>>().await, Err(Error::Unavailable(_))));
}

#[tokio::test]
async fn what_is_deleted_is_gone_and_may_be_deleted_again() {
    let (directory, store) = store();
    store.delete(&key(1)).await.unwrap();
    store.put_bytes(&key(1), b"1").await.unwrap();
    store.put_bytes(&key(2), b"2").await.unwrap();
    store.delete(&key(1)).await.unwrap();
    store.delete(&key(1)).await.unwrap();
    assert_eq!((bytes(&store, &key(1)).await, bytes(&store, &key(2)).await.is_some()), (None, true));
    assert_eq!((store.head(&key(1)).await.unwrap(), files(&directory).len()), (None, 1));
}

#[tokio::test]
async fn leftovers_of_a_crash_are_swept_when_they_are_a_day_old() {
    let (directory, store) = store();
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(2_000_000_000);
    assert_eq!(store.sweep(now).await.unwrap(), Swept::default());
    let staging = directory.path().join("media/staging");
    store.put_bytes(&key(1), b"kept").await.unwrap();
    for (name, hours) in [("old", 25), ("young", 23)] {
        let file = File::create(staging.join(name)).unwrap();
        file.set_modified(now - Duration::from_secs(hours * 3_600)).unwrap();
    }
    assert_eq!(store.sweep(now).await.unwrap(), Swept { removed: 1, more: false });
    assert!(staging.join("young").exists() && !staging.join("old").exists());
    assert!(bytes(&store, &key(1)).await.is_some());
}

#[tokio::test]
async fn originals_that_have_stayed_too_long_are_found() {
    let (directory, store) = store();
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(2_000_000_000);
    let hour = Duration::from_secs(3_600);
    assert_eq!(store.old_originals(now, hour).await.unwrap(), []);
    let original = |number| Key { role: Role::Original, ..key(number) };
    for (key, age) in [(original(1), 2 * hour), (original(2), hour / 2), (key(3), 2 * hour)] {
        let known = files(&directory);
        store.put_bytes(&key, b"1").await.unwrap();
        let new = files(&directory).into_iter().find(|file| !known.contains(file)).unwrap();
        File::options().write(true).open(new).unwrap().set_modified(now - age).unwrap();
    }
    assert_eq!(store.old_originals(now, hour).await.unwrap(), [original(1)]);
    assert_eq!(bytes(&store, &original(1)).await.unwrap(), b"1");
}

#[tokio::test]
async fn a_probe_leaves_nothing_behind() {
    let (directory, store) = store();
    assert_eq!(store.check().await, Ok(()));
    assert_eq!(store.check().await, Ok(()));
    assert!(files(&directory).is_empty());
}

#[tokio::test]
async fn a_store_that_cannot_be_written_says_so_and_comes_back() {
    let (directory, store) = store();
    let root = directory.path().join("media");
    File::create(&root).unwrap();
    assert_eq!(store.check().await, Err("not writable"));
    assert!(matches!(store.stage(1).await, Err(Error::Unavailable(_))));
    assert!(matches!(store.put_bytes(&key(1), b"1").await, Err(Error::Unavailable(_))));
    assert!(matches!(store.open(&key(1)).await, Err(Error::Unavailable(_))));
    fs::remove_file(root).unwrap();
    assert_eq!(store.check().await, Ok(()));
    store.put_bytes(&key(1), b"1").await.unwrap();
}

#[tokio::test]
async fn a_store_that_was_emptied_behind_its_back_is_filled_again() {
    let (directory, store) = store();
    store.put_bytes(&key(1), b"1").await.unwrap();
    fs::remove_dir_all(directory.path().join("media")).unwrap();
    store.put_bytes(&key(1), b"2").await.unwrap();
    assert_eq!(bytes(&store, &key(1)).await.unwrap(), b"2");
}

#[tokio::test]
async fn a_disk_that_does_not_answer_is_not_waited_for_for_ever() {
    let (directory, store) = store();
    store.put_bytes(&key(1), b"1").await.unwrap();
    let [object] = files(&directory).try_into().unwrap();
    fs::remove_file(&object).unwrap();
    // It is open once somebody writes
    assert!(Command::new("mkfifo").arg(&object).status().unwrap().success());
    let url = StorageUrl::Directory(directory.path().join("media"));
    let impatient = Store::waiting(&url, Duration::from_millis(50)).unwrap();
    let opened = timeout(Duration::from_secs(10), impatient.open(&key(1))).await;
    // Lets the thread go that waits for that
    drop(File::options().write(true).open(&object).unwrap());
    assert!(matches!(opened, Ok(Err(Error::Unavailable(_)))), "{:?}", opened.map(|opened| opened.err()));
}

#[test]
fn a_bucket_is_not_spoken_yet() {
    let url = || Secret::new("s3://photos/party".parse().unwrap());
    let told = |url| Store::new(&url).err().map(|error| error.scheme);
    assert_eq!(told(StorageUrl::S3(url())), Some("s3"));
    assert_eq!(told(StorageUrl::Gs(url())), Some("gs"));
}
