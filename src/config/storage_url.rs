//! Where photos are kept.

use std::path::{Component, Path, PathBuf};

use url::Url;

use super::problem::Expected;
use super::secret::Secret;

/// `STORAGE_URL`: a directory or a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorageUrl {
    /// `file:///absolute`, or `file:relative` joined to the data directory.
    Directory(PathBuf),
    /// `s3://bucket/prefix`.
    S3(Secret<Url>),
    /// `gs://bucket/prefix`.
    Gs(Secret<Url>),
}

impl StorageUrl {
    /// A parser that knows the directory to which relative ones belong.
    pub(super) fn relative_to(data_dir: &Path) -> impl FnOnce(&str) -> Result<Self, Expected> {
        move |text| {
            read(text, data_dir).ok_or(Expected::new(
                "a URL such as file:///var/lib/party-gallery, file:media, s3://bucket/prefix or gs://bucket/prefix",
            ))
        }
    }
}

fn read(text: &str, data_dir: &Path) -> Option<StorageUrl> {
    let (scheme, rest) = text.split_once(':')?;
    match scheme {
        "file" if rest.starts_with('/') => absolute(text).map(StorageUrl::Directory),
        "file" => {
            let path = Path::new(rest);
            let inside =
                !rest.is_empty() && path.components().all(|part| matches!(part, Component::Normal(_)));
            inside.then(|| StorageUrl::Directory(data_dir.join(path)))
        }
        "s3" => bucket(text).map(StorageUrl::S3),
        "gs" => bucket(text).map(StorageUrl::Gs),
        _ => None,
    }
}

fn absolute(text: &str) -> Option<PathBuf> {
    let url = Url::parse(text).ok()?;
    // file://host/path names another machine's file
    let ours = url.host_str().is_none() && url.query().is_none() && url.fragment().is_none();
    if ours { url.to_file_path().ok() } else { None }
}

fn bucket(text: &str) -> Option<Secret<Url>> {
    let url = Url::parse(text).ok()?;
    url.host_str().is_some_and(|name| !name.is_empty()).then(|| Secret::new(url))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<StorageUrl, Expected> {
        StorageUrl::relative_to(Path::new("./data"))(text)
    }

    #[test]
    fn a_directory_is_absolute_or_in_the_data_directory() {
        for (text, path) in [
            ("file:///srv/party media", "/srv/party media"),
            ("file:///srv/party%20media", "/srv/party media"),
            ("file:media", "./data/media"),
            ("file:a/b", "./data/a/b"),
        ] {
            assert_eq!(parse(text), Ok(StorageUrl::Directory(path.into())), "{text}");
        }
    }

    #[test]
    fn a_bucket_keeps_its_url() {
        let Ok(StorageUrl::S3(url)) = parse("s3://photos/party?region=eu") else { panic!("no bucket") };
        assert_eq!(url.expose().host_str(), Some("photos"));
        assert!(matches!(parse("gs://photos"), Ok(StorageUrl::Gs(_))));
    }

    #[test]
    fn what_is_no_storage_is_refused() {
        for text in [
            "",
            "media",
            "/srv",
            "file:",
            "file:../up",
            "file:a/../../b",
            "file://host/srv",
            "file:///srv?x",
            "s3:",
            "s3:///prefix",
            "gs:photos",
            "http://h/",
            "ftp://h/",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
