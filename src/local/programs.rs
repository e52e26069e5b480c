//! Where this machine keeps the servers' programs.

use std::{
    cmp::Reverse,
    env,
    ffi::OsStr,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use super::Error;

/// PostgreSQL's programs, both from one installation.
#[derive(Debug, Clone)]
pub struct PostgresPrograms {
    pub(super) initdb: PathBuf,
    pub(super) postgres: PathBuf,
}

impl PostgresPrograms {
    /// Looks in `path` (the variable PATH), then where packages put them, the newest version first.
    pub fn find(path: &OsStr) -> Result<Self, Error> {
        let mut directories: Vec<_> = env::split_paths(path).collect();
        directories.extend(newest_first("/usr/lib/postgresql", ""));
        directories.extend(newest_first("/usr", "pgsql-"));
        directories.push("/usr/local/pgsql/bin".into());
        for prefix in ["/opt/homebrew", "/usr/local"] {
            directories.push(Path::new(prefix).join("bin"));
            directories.extend(newest_first(&format!("{prefix}/opt"), "postgresql@"));
        }
        Self::find_in(&directories)
    }

    fn find_in(directories: &[PathBuf]) -> Result<Self, Error> {
        let bin = first_with(&["initdb", "postgres"], directories)
            .ok_or_else(|| missing("PostgreSQL", "initdb and postgres", directories, "DATABASE_URL"))?;
        Ok(Self { initdb: bin.join("initdb"), postgres: bin.join("postgres") })
    }
}

/// Redis's program.
#[derive(Debug, Clone)]
pub struct RedisProgram(pub(super) PathBuf);

impl RedisProgram {
    /// Looks in `path` (the variable PATH), then where packages put it.
    pub fn find(path: &OsStr) -> Result<Self, Error> {
        let mut directories: Vec<_> = env::split_paths(path).collect();
        directories.extend(["/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"].map(PathBuf::from));
        Self::find_in(&directories)
    }

    fn find_in(directories: &[PathBuf]) -> Result<Self, Error> {
        let bin = first_with(&["redis-server"], directories)
            .ok_or_else(|| missing("Redis", "redis-server", directories, "REDIS_URL"))?;
        Ok(Self(bin.join("redis-server")))
    }
}

/// The `bin` directories of the versions installed in `root`, whose names are `prefix` and a version.
fn newest_first(root: &str, prefix: &str) -> Vec<PathBuf> {
    let mut versions: Vec<(Vec<u32>, PathBuf)> = fs::read_dir(root)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name();
            let version = name.to_str()?.strip_prefix(prefix)?;
            let numbers = version.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
            Some((numbers, entry.path().join("bin")))
        })
        .collect();
    versions.sort_by_key(|(version, _)| Reverse(version.clone()));
    versions.into_iter().map(|(_, bin)| bin).collect()
}

/// The first directory that has all `programs`: they must be of one version.
fn first_with<'a>(programs: &[&str], directories: &'a [PathBuf]) -> Option<&'a Path> {
    let executable = |path: PathBuf| {
        fs::metadata(path).is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
    };
    directories
        .iter()
        .find(|directory| programs.iter().all(|program| executable(directory.join(program))))
        .map(PathBuf::as_path)
}

fn missing(server: &'static str, programs: &str, directories: &[PathBuf], variable: &'static str) -> Error {
    let searched: Vec<_> = directories.iter().map(|directory| directory.display().to_string()).collect();
    Error::Missing { server, programs: programs.to_owned(), searched: searched.join(":"), variable }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_what_to_install() {
        let empty = tempfile::tempdir().unwrap();
        let nowhere = [empty.path().to_owned()];
        let postgres = PostgresPrograms::find_in(&nowhere).unwrap_err().to_string();
        let redis = RedisProgram::find_in(&nowhere).unwrap_err().to_string();
        for (message, variable) in [(postgres, "DATABASE_URL"), (redis, "REDIS_URL")] {
            for word in ["apt-get install postgresql redis-server", "brew install", variable] {
                assert!(message.contains(word), "{word} is not in: {message}");
            }
        }
    }

    #[test]
    fn half_an_installation_is_passed_over() {
        let (half, whole) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for program in
            [half.path().join("postgres"), whole.path().join("postgres"), whole.path().join("initdb")]
        {
            fs::write(&program, "").unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let found = PostgresPrograms::find_in(&[half.path().to_owned(), whole.path().to_owned()]).unwrap();
        assert_eq!(found.postgres, whole.path().join("postgres"));
    }

    #[test]
    fn the_newest_version_comes_first() {
        let root = tempfile::tempdir().unwrap();
        for version in ["9.6", "15", "10", "common"] {
            fs::create_dir(root.path().join(version)).unwrap();
        }
        let found = newest_first(root.path().to_str().unwrap(), "");
        assert_eq!(found, ["15", "10", "9.6"].map(|version| root.path().join(version).join("bin")));
    }
}
