//! Every variable of the environment: its name, what stands in for it, and what it is for.
//!
//! *Invariant:* a default exists as text and only here. It is parsed like a given value, and `.env.example` is
//! this table in print; a test holds the two together.

use super::environment::Environment;

/// One variable of the environment.
#[derive(Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it is for, line by line.
    pub doc: &'static [&'static str],
    local: Fallback,
    deployed: Fallback,
}

/// What stands in for a variable that is not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// This text, parsed like a given one.
    Value(&'static str),
    /// Nothing: the variable is optional, or its part makes something by itself.
    Nothing,
    /// No start without it.
    Required,
}

impl Variable {
    /// What stands in for it in an environment.
    pub fn fallback(&self, environment: Environment) -> Fallback {
        if environment.is_local() { self.local } else { self.deployed }
    }
}

/// Variables that belong together, as `.env.example` shows them.
#[derive(Debug)]
pub struct Section {
    /// Its heading.
    pub title: &'static str,
    /// In the order of `.env.example`.
    pub variables: &'static [Variable],
}

/// What stands in: in development and test, and in staging and production.
type Fallbacks = (Fallback, Fallback);

const OPTIONAL: Fallbacks = (Fallback::Nothing, Fallback::Nothing);
const MADE_LOCALLY: Fallbacks = (Fallback::Nothing, Fallback::Required);

const fn default(text: &'static str) -> Fallbacks {
    (Fallback::Value(text), Fallback::Value(text))
}

const fn local(text: &'static str) -> Fallbacks {
    (Fallback::Value(text), Fallback::Required)
}

const fn split(local: &'static str, deployed: &'static str) -> Fallbacks {
    (Fallback::Value(local), Fallback::Value(deployed))
}

macro_rules! sections {
    ($($title:literal { $($(#[doc = $doc:literal])+ $name:ident = $fallbacks:expr;)+ })+) => {
        $($($(#[doc = $doc])+ pub const $name: Variable = Variable {
            name: stringify!($name),
            doc: &[$($doc),+],
            local: $fallbacks.0,
            deployed: $fallbacks.1,
        };)+)+

        /// Every variable, in the order of `.env.example`.
        pub const SECTIONS: &[Section] = &[$(Section { title: $title, variables: &[$($name),+] }),+];
    };
}

sections! {
    "Where it runs" {
        /// development, test, staging or production.
        APP_ENV = default("development");
        /// Stands in for APP_ENV where that is not set.
        NODE_ENV = OPTIONAL;
        /// The address to listen on.
        HOST = split("127.0.0.1", "0.0.0.0");
        /// The port to listen on.
        PORT = default("3000");
        /// The address by which people reach the service; links are made from it. Follows PORT where not set.
        PUBLIC_URL = local("http://localhost:3000");
        /// Where the service keeps what it makes by itself.
        DATA_DIR = default("./.party-gallery");
        /// trace, debug, info, warn, error or critical.
        LOG_LEVEL = default("info");
    }
    "Where it keeps what it is given" {
        /// PostgreSQL: postgres://user:password@host1:5432,host2:5432/database?target_session_attrs=read-write
        /// Where not set in development and test, a private server is started under DATA_DIR.
        DATABASE_URL = MADE_LOCALLY;
        /// Connections of one pod. PostgreSQL takes 100 by default: 16 let five pods roll with room to spare,
        /// and are more than its cores can keep busy at once.
        DATABASE_POOL_SIZE = default("16");
        /// Redis: redis://, rediss:// (TLS), redis+cluster://host1:6379,host2:6379 or rediss+cluster://
        /// Where not set in development and test, a private server is started under DATA_DIR.
        REDIS_URL = MADE_LOCALLY;
        /// Photos: file:///absolute, file:relative-to-DATA_DIR, s3://bucket/prefix or gs://bucket/prefix
        STORAGE_URL = local("file:media");
    }
    "Who may come in" {
        /// local (e-mail and password), firebase, or both as a comma list.
        AUTH_PROVIDER = default("local");
        /// What tokens are signed with, at least 32 bytes; a comma list: the first signs, all verify.
        /// Where not set in development and test, one is made and kept in DATA_DIR/jwt_secret.
        JWT_SECRET = MADE_LOCALLY;
        /// The Firebase project; required with AUTH_PROVIDER=firebase.
        FIREBASE_PROJECT_ID = OPTIONAL;
        /// The service account that sends pushes; with its private key. Without both, no pushes are sent.
        FIREBASE_CLIENT_EMAIL = OPTIONAL;
        /// The service account's key, PEM, with its newlines as they are or as \n.
        FIREBASE_PRIVATE_KEY = OPTIONAL;
        /// Further origins whose pages may call the service, such as `https://app.example,http://localhost:5173`.
        CORS_ORIGIN = OPTIONAL;
        /// Networks of the proxies in front, CIDR: 10.0.0.0/8,::1. Others' X-Forwarded-For is ignored.
        TRUSTED_PROXIES = OPTIONAL;
        /// Networks that may read /metrics and /health?verbose, CIDR. Loopback always may.
        METRICS_ALLOW = OPTIONAL;
        /// A bearer token that may read them from anywhere, at least 16 characters.
        OPERATOR_TOKEN = OPTIONAL;
    }
    "How it stays well" {
        /// What must be healthy for /health/ready: of database, redis, realtime and storage.
        READY_REQUIRES = default("database,redis");
        /// Between two probes of a dependency. Durations take ms, s, m, h or d; a bare number is seconds.
        HEALTH_INTERVAL = default("5s");
        /// Between saying "not ready" and closing, so that balancers notice.
        DRAIN_DELAY = split("0s", "5s");
        /// For the whole shutdown; then it is cut short.
        SHUTDOWN_TIMEOUT = default("30s");
        /// Requests in flight of one pod; the rest is answered 503 at once. 32 for each database connection:
        /// at 2 ms a statement the last in line still waits far less than a lease may take.
        MAX_IN_FLIGHT = default("512");
        /// How long a client may be away and still catch up.
        EVENT_RETENTION = default("7d");
        /// Days from the deletion of a party to the erasure of it and its files.
        RETENTION_DAYS = default("30");
    }
    "How often: count/period, and a burst that may be saved up" {
        /// Unknown access codes, by address and by caller.
        RATE_UNKNOWN_CODES = default("10/m");
        /// Joins that succeed or find the party full, by address.
        RATE_JOINS = default("600/m");
        /// Failed logins, by account.
        RATE_FAILED_LOGINS = default("10/15m");
        /// Failed logins, by address.
        RATE_FAILED_LOGINS_BY_ADDRESS = default("60/m");
        /// New accounts, by address.
        RATE_REGISTRATIONS = default("300/h");
        /// Refreshed tokens, by caller.
        RATE_REFRESHES = default("30/m");
        /// Chat messages, by caller.
        RATE_CHAT = default("20/s burst 50");
        /// Uploads, by caller.
        RATE_UPLOADS = default("60/m");
        /// Everything else, by caller.
        RATE_REQUESTS = default("50/s burst 200");
        /// Everything else, by address; a whole party shares one.
        RATE_REQUESTS_BY_ADDRESS = default("1000/s");
    }
    "How much: KB, MB, GB, TB are powers of 1,000" {
        /// Media of one person in one party.
        QUOTA_PERSON_MEDIA = default("300");
        /// Bytes of one person in one party.
        QUOTA_PERSON_BYTES = default("3GB");
        /// Bytes of one party.
        QUOTA_PARTY_BYTES = default("50GB");
        /// Open uploads of one person.
        QUOTA_OPEN_UPLOADS = default("5");
        /// Archives of one person at a time.
        QUOTA_ARCHIVES = default("1");
    }
}
