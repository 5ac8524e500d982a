//! What a store's URL says. No error repeats a piece of it: it may hold a password, in a place where none was meant.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use rustls::ClientConfig;
use zeroize::Zeroizing;

use super::tls::{self, Files};
use crate::store::StoreError;

const PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Address {
    Tcp { host: String, port: u16 },
    Unix(PathBuf),
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(formatter, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(formatter, "{host}:{port}"),
            Self::Unix(path) => path.display().fmt(formatter),
        }
    }
}

/// How to be let in.
#[derive(Clone, Default)]
pub(super) struct Login {
    pub user: Option<String>,
    pub password: Option<Zeroizing<String>>,
}

/// What every connection to a kind of server begins with.
#[derive(Clone)]
pub(super) struct Manner {
    pub login: Login,
    pub database: u32,
    pub tls: Option<Arc<ClientConfig>>,
}

/// Which servers there are.
pub(super) enum Layout {
    One(Address),
    /// Some nodes of a Redis Cluster; they name the others.
    Cluster(Vec<Address>),
    /// Sentinels, and the name by which they know the master.
    Sentinel {
        sentinels: Vec<Address>,
        manner: Manner,
        master: String,
    },
}

/// A store's URL, understood.
pub(super) struct Place {
    pub layout: Layout,
    pub manner: Manner,
}

const FORMS: &str = "redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE], redis+unix://[USER:PASSWORD@]/PATH[?db=DATABASE], \
     redis+cluster://[USER:PASSWORD@]HOST:PORT,HOST:PORT or redis+sentinel://[USER:PASSWORD@]HOST:PORT,HOST:PORT/MASTER[/DATABASE], \
     with rediss for TLS";

fn wrong(what: &str) -> StoreError {
    StoreError(format!("the URL of the Redis store is wrong: {what}; it is written {FORMS}"))
}

/// The pieces of a URL, each still percent-encoded.
struct Pieces<'a> {
    scheme: String,
    login: Option<&'a str>,
    hosts: &'a str,
    path: &'a str,
    query: Query<'a>,
}

#[derive(Default)]
struct Query<'a> {
    database: Option<&'a str>,
    sentinel_user: Option<&'a str>,
    sentinel_password: Option<&'a str>,
    tls_ca_cert_file: Option<&'a str>,
    tls_cert_file: Option<&'a str>,
    tls_key_file: Option<&'a str>,
}

impl<'a> Query<'a> {
    fn parse(text: &'a str) -> Result<Self, StoreError> {
        let mut query = Self::default();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or_else(|| wrong("a parameter is written NAME=VALUE"))?;
            let place = match name {
                "db" => &mut query.database,
                "sentinel_user" => &mut query.sentinel_user,
                "sentinel_password" => &mut query.sentinel_password,
                "tls_ca_cert_file" => &mut query.tls_ca_cert_file,
                "tls_cert_file" => &mut query.tls_cert_file,
                "tls_key_file" => &mut query.tls_key_file,
                _ => {
                    return Err(wrong(
                        "the parameters there are: db, sentinel_user, sentinel_password, tls_ca_cert_file, tls_cert_file, \
                         tls_key_file (in a password, write ? as %3F)",
                    ));
                }
            };
            if place.replace(value).is_some() {
                return Err(wrong("a parameter is there twice"));
            }
        }
        Ok(query)
    }
}

impl<'a> Pieces<'a> {
    fn parse(url: &'a str) -> Result<Self, StoreError> {
        let (scheme, rest) = url.split_once("://").ok_or_else(|| wrong("there is no scheme"))?;
        if rest.contains('#') {
            return Err(wrong("it has a fragment (in a password, write # as %23)"));
        }
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (login, hosts) = match authority.rsplit_once('@') {
            Some((login, hosts)) => (Some(login), hosts),
            None => (None, authority),
        };
        let scheme = scheme.to_ascii_lowercase();
        let scheme = match scheme.strip_prefix("valkey") {
            Some(rest) => format!("redis{rest}"),
            None => scheme,
        };
        Ok(Self { scheme, login, hosts, path, query: Query::parse(query)? })
    }

    fn manner(&self, login: Login, database: u32, tls: bool) -> Result<Manner, StoreError> {
        let files = Files {
            authorities: self.query.tls_ca_cert_file.map(path).transpose()?,
            certificate: self.query.tls_cert_file.map(path).transpose()?,
            key: self.query.tls_key_file.map(path).transpose()?,
        };
        if !tls && files != Files::default() {
            return Err(wrong("files for TLS go with rediss"));
        }
        let tls = if tls { Some(tls::config(&files)?) } else { None };
        Ok(Manner { login, database, tls })
    }
}

fn decoded(text: &str) -> Result<String, StoreError> {
    let text = percent_decode_str(text).decode_utf8().map_err(|_| wrong("a percent-encoded piece is not UTF-8"))?;
    Ok(text.into_owned())
}

fn path(text: &str) -> Result<PathBuf, StoreError> {
    decoded(text).map(PathBuf::from)
}

fn login(user: Option<&str>, password: Option<&str>) -> Result<Login, StoreError> {
    let user = user.filter(|user| !user.is_empty()).map(decoded).transpose()?;
    let password = password.filter(|password| !password.is_empty()).map(decoded).transpose()?.map(Zeroizing::new);
    if user.is_some() && password.is_none() {
        return Err(wrong("a user has a password (a password alone is written :PASSWORD@)"));
    }
    Ok(Login { user, password })
}

fn database(text: Option<&str>) -> Result<u32, StoreError> {
    match text {
        None | Some("") => Ok(0),
        Some(text) => text.parse().map_err(|_| wrong("the database is a number from 0 on")),
    }
}

fn address(text: &str, default_port: u16) -> Result<Address, StoreError> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or_else(|| wrong("an IPv6 address is written [ADDRESS]"))?;
            (host, if port.is_empty() { None } else { Some(port.strip_prefix(':').unwrap_or("")) })
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let host = decoded(host)?;
    if host.is_empty() {
        return Err(wrong("a host is missing"));
    }
    let port = match port {
        None => default_port,
        Some(port) => port.parse().ok().filter(|port| *port != 0).ok_or_else(|| {
            wrong("a port is a number from 1 to 65535 (in a password, write / as %2F, @ as %40 and : as %3A)")
        })?,
    };
    Ok(Address::Tcp { host, port })
}

fn addresses(text: &str, default_port: u16) -> Result<Vec<Address>, StoreError> {
    text.split(',').map(|text| address(text, default_port)).collect()
}

impl Place {
    pub fn parse(url: &str) -> Result<Self, StoreError> {
        let pieces = Pieces::parse(url)?;
        let query = &pieces.query;
        let (user, password) = match pieces.login {
            Some(text) => {
                let (user, password) = text.split_once(':').unwrap_or((text, ""));
                (Some(user), Some(password))
            }
            None => (None, None),
        };
        let let_in = login(user, password)?;
        let names: Vec<&str> = pieces.path.split('/').filter(|name| !name.is_empty()).collect();
        let (base, form) = match pieces.scheme.split_once('+') {
            Some((base, form)) => (base, form),
            None if pieces.scheme == "unix" => ("redis", "unix"),
            None => (&*pieces.scheme, ""),
        };
        let tls = match base {
            "redis" => false,
            "rediss" => true,
            _ => return Err(wrong("the scheme is none of Redis's")),
        };
        if form != "sentinel" && (query.sentinel_user.is_some() || query.sentinel_password.is_some()) {
            return Err(wrong("sentinel_user and sentinel_password go with redis+sentinel"));
        }
        let one_database = |in_path: Option<&&str>| match (in_path, query.database) {
            (Some(_), Some(_)) => Err(wrong("the database is there twice")),
            (in_path, in_query) => database(in_path.copied().or(in_query)),
        };
        match (form, &names[..]) {
            ("", [] | [_]) => Ok(Self {
                layout: Layout::One(address(pieces.hosts, PORT)?),
                manner: pieces.manner(let_in, one_database(names.first())?, tls)?,
            }),
            ("unix", [_, ..]) if !tls && pieces.hosts.is_empty() => Ok(Self {
                layout: Layout::One(Address::Unix(path(pieces.path)?)),
                manner: pieces.manner(let_in, one_database(None)?, false)?,
            }),
            ("cluster", [] | ["0"]) if matches!(query.database, None | Some("0")) => Ok(Self {
                layout: Layout::Cluster(addresses(pieces.hosts, PORT)?),
                manner: pieces.manner(let_in, 0, tls)?,
            }),
            ("cluster", _) => Err(wrong("a cluster has no database but 0")),
            ("sentinel", [master] | [master, _]) => {
                let sentinel_login = login(query.sentinel_user, query.sentinel_password)?;
                let sentinel_manner = pieces.manner(sentinel_login, 0, tls)?;
                Ok(Self {
                    layout: Layout::Sentinel {
                        sentinels: addresses(pieces.hosts, SENTINEL_PORT)?,
                        manner: sentinel_manner.clone(),
                        master: decoded(master)?,
                    },
                    manner: Manner { login: let_in, database: one_database(names.get(1))?, tls: sentinel_manner.tls },
                })
            }
            ("sentinel", []) => Err(wrong("the master's name is missing")),
            _ => Err(wrong("it has none of the forms")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Address, Layout, Place};

    /// What a URL says, in words.
    fn read(url: &str) -> String {
        let place = Place::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"));
        let join = |all: &[Address]| all.iter().map(Address::to_string).collect::<Vec<_>>().join(" ");
        let layout = match &place.layout {
            Layout::One(address) => address.to_string(),
            Layout::Cluster(nodes) => format!("cluster {}", join(nodes)),
            Layout::Sentinel { sentinels, manner, master } => {
                let login = manner.login.password.as_ref().map(|password| format!(" let in by {}", password.as_str()));
                format!("{master} by {}{}", join(sentinels), login.unwrap_or_default())
            }
        };
        let manner = &place.manner;
        let login =
            manner.login.password.as_ref().map(|password| {
                format!(" as {}:{}", manner.login.user.as_deref().unwrap_or_default(), password.as_str())
            });
        let tls = if manner.tls.is_some() { " tls" } else { "" };
        format!("{layout} {}{tls}{}", manner.database, login.unwrap_or_default())
    }

    #[test]
    fn every_form_is_understood() {
        for (url, said) in [
            ("redis://localhost", "localhost:6379 0"),
            ("REDIS://10.0.0.1:7000/", "10.0.0.1:7000 0"),
            ("redis://localhost/5", "localhost:6379 5"),
            ("redis://localhost?db=5", "localhost:6379 5"),
            ("valkey://[::1]:7000/5", "[::1]:7000 5"),
            ("redis://[fe80::1]", "[fe80::1]:6379 0"),
            ("redis://:p%40ss%2F%23%3f@localhost/", "localhost:6379 0 as :p@ss/#?"),
            ("redis://:a@b@localhost/", "localhost:6379 0 as :a@b"),
            ("redis://zoe:a:b@localhost/", "localhost:6379 0 as zoe:a:b"),
            ("redis+unix:///run/my%20redis.sock?db=2", "/run/my redis.sock 2"),
            ("unix://zoe:secret@/run/redis.sock", "/run/redis.sock 0 as zoe:secret"),
            ("redis+cluster://a,b:7000,[::1]:7001", "cluster a:6379 b:7000 [::1]:7001 0"),
            ("valkey+cluster://:secret@a:7000/0", "cluster a:7000 0 as :secret"),
            ("redis+sentinel://a,b:27000/sessions", "sessions by a:26379 b:27000 0"),
            ("redis+sentinel://zoe:s@a/sessions/3?sentinel_password=t", "sessions by a:26379 let in by t 3 as zoe:s"),
        ] {
            assert_eq!(read(url), said, "{url}");
        }
    }

    #[test]
    fn no_error_tells_what_was_written() {
        for url in [
            "",
            "hunter2",
            "hunter2://localhost",
            "redis:hunter2@localhost",
            "redis://:hunter2",
            "redis://:hunter2@",
            "redis://hunter2@localhost",
            "redis://:x/hunter2@localhost",
            "redis://:x/hunter2/y@localhost",
            "redis://:x?hunter2@localhost",
            "redis://:x?hunter2=y@localhost",
            "redis://:x#hunter2@localhost",
            "redis://:%ffhunter2@localhost",
            "redis://localhost:hunter2",
            "redis://localhost:0",
            "redis://localhost:65536",
            "redis://[::1:7000",
            "redis://[::1]hunter2",
            "redis://localhost/hunter2",
            "redis://localhost/-1",
            "redis://localhost/1?db=2",
            "redis://localhost?db=1&db=2",
            "redis://localhost?tls_ca_cert_file=x",
            "redis://localhost?sentinel_password=hunter2",
            "redis+unix://host/run/redis.sock",
            "redis+unix://",
            "rediss+unix:///run/redis.sock",
            "redis+cluster://a/1",
            "redis+cluster://a?db=1",
            "redis+cluster://a,,b",
            "redis+sentinel://a",
            "redis+sentinel://a/b/c/d",
            "redis+hunter2://a",
            "rediss://localhost?tls_cert_file=x",
        ] {
            let error = Place::parse(url).map(drop).expect_err(url).to_string();
            assert!(!error.contains("hunter2") && error.contains("Redis"), "{url}: {error}");
        }
    }
}
