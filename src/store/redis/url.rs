//! Parses the URL of a Redis store. No error repeats a part of the URL, because a password may be in the wrong
//! endpoint.

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

/// The address of a server.
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

/// The user and the password for a server.
#[derive(Clone, Default)]
pub(super) struct Login {
    pub user: Option<String>,
    pub password: Option<Zeroizing<String>>,
}

/// The settings of all connections to the same kind of server.
#[derive(Clone)]
pub(super) struct ConnectionSettings {
    pub login: Login,
    pub database: u32,
    pub tls: Option<Arc<ClientConfig>>,
}

/// The servers that a URL names.
pub(super) enum Layout {
    One(Address),
    /// Some nodes of a Redis Cluster, which list the other nodes.
    Cluster(Vec<Address>),
    /// The sentinels, and the name of the master that they watch.
    Sentinel {
        sentinels: Vec<Address>,
        settings: ConnectionSettings,
        master: String,
    },
}

/// A parsed store URL.
pub(super) struct Endpoint {
    pub layout: Layout,
    /// The settings for connections to the servers that have the records.
    pub settings: ConnectionSettings,
}

const FORMS: &str = "redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE], redis+unix://[USER:PASSWORD@]/PATH[?db=DATABASE], \
     redis+cluster://[USER:PASSWORD@]HOST:PORT,HOST:PORT or redis+sentinel://[USER:PASSWORD@]HOST:PORT,HOST:PORT/MASTER[/DATABASE], \
     with rediss for TLS";

fn wrong(reason: &str) -> StoreError {
    StoreError::Failed(format!("the URL of the Redis store is invalid: {reason}. Use {FORMS}"))
}

/// The parts of a URL, still percent-encoded.
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
            let (name, value) =
                pair.split_once('=').ok_or_else(|| wrong("a parameter must have the form NAME=VALUE"))?;
            let parameter = match name {
                "db" => &mut query.database,
                "sentinel_user" => &mut query.sentinel_user,
                "sentinel_password" => &mut query.sentinel_password,
                "tls_ca_cert_file" => &mut query.tls_ca_cert_file,
                "tls_cert_file" => &mut query.tls_cert_file,
                "tls_key_file" => &mut query.tls_key_file,
                _ => {
                    return Err(wrong(
                        "the only parameters are db, sentinel_user, sentinel_password, tls_ca_cert_file, tls_cert_file \
                         and tls_key_file (in a password, write ? as %3F)",
                    ));
                }
            };
            if parameter.replace(value).is_some() {
                return Err(wrong("a parameter is given twice"));
            }
        }
        Ok(query)
    }
}

impl<'a> Pieces<'a> {
    fn parse(url: &'a str) -> Result<Self, StoreError> {
        let (scheme, rest) = url.split_once("://").ok_or_else(|| wrong("it has no scheme"))?;
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

    fn settings(&self, login: Login, database: u32, tls: bool) -> Result<ConnectionSettings, StoreError> {
        let files = Files {
            authorities: self.query.tls_ca_cert_file.map(path).transpose()?,
            certificate: self.query.tls_cert_file.map(path).transpose()?,
            key: self.query.tls_key_file.map(path).transpose()?,
        };
        if !tls && files != Files::default() {
            return Err(wrong("the parameters for TLS need the scheme rediss"));
        }
        let tls = if tls { Some(tls::config(&files)?) } else { None };
        Ok(ConnectionSettings { login, database, tls })
    }
}

fn decoded(text: &str) -> Result<String, StoreError> {
    let text = percent_decode_str(text).decode_utf8().map_err(|_| wrong("a percent-encoded part is not UTF-8"))?;
    Ok(text.into_owned())
}

fn path(text: &str) -> Result<PathBuf, StoreError> {
    decoded(text).map(PathBuf::from)
}

fn login(user: Option<&str>, password: Option<&str>) -> Result<Login, StoreError> {
    let user = user.filter(|user| !user.is_empty()).map(decoded).transpose()?;
    let password = password.filter(|password| !password.is_empty()).map(decoded).transpose()?.map(Zeroizing::new);
    if user.is_some() && password.is_none() {
        return Err(wrong("a user needs a password (write a password without a user as :PASSWORD@)"));
    }
    Ok(Login { user, password })
}

fn database(text: Option<&str>) -> Result<u32, StoreError> {
    match text {
        None | Some("") => Ok(0),
        Some(text) => text.parse().map_err(|_| wrong("the database must be a number, 0 or greater")),
    }
}

fn address(text: &str, default_port: u16) -> Result<Address, StoreError> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, port) =
                rest.split_once(']').ok_or_else(|| wrong("an IPv6 address must be in brackets, [ADDRESS]"))?;
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
            wrong("a port must be a number from 1 to 65535 (in a password, write / as %2F, @ as %40 and : as %3A)")
        })?,
    };
    Ok(Address::Tcp { host, port })
}

fn addresses(text: &str, default_port: u16) -> Result<Vec<Address>, StoreError> {
    text.split(',').map(|text| address(text, default_port)).collect()
}

impl Endpoint {
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
        let store_login = login(user, password)?;
        let names: Vec<&str> = pieces.path.split('/').filter(|name| !name.is_empty()).collect();
        let (base, form) = match pieces.scheme.split_once('+') {
            Some((base, form)) => (base, form),
            None if pieces.scheme == "unix" => ("redis", "unix"),
            None => (&*pieces.scheme, ""),
        };
        let tls = match base {
            "redis" => false,
            "rediss" => true,
            _ => return Err(wrong("the scheme is not one of a Redis store")),
        };
        if form != "sentinel" && (query.sentinel_user.is_some() || query.sentinel_password.is_some()) {
            return Err(wrong("sentinel_user and sentinel_password need the scheme redis+sentinel"));
        }
        let one_database = |in_path: Option<&&str>| match (in_path, query.database) {
            (Some(_), Some(_)) => Err(wrong("the database is given twice")),
            (in_path, in_query) => database(in_path.copied().or(in_query)),
        };
        match (form, &names[..]) {
            ("", [] | [_]) => Ok(Self {
                layout: Layout::One(address(pieces.hosts, PORT)?),
                settings: pieces.settings(store_login, one_database(names.first())?, tls)?,
            }),
            ("unix", [_, ..]) if !tls && pieces.hosts.is_empty() => Ok(Self {
                layout: Layout::One(Address::Unix(path(pieces.path)?)),
                settings: pieces.settings(store_login, one_database(None)?, false)?,
            }),
            ("cluster", [] | ["0"]) if matches!(query.database, None | Some("0")) => Ok(Self {
                layout: Layout::Cluster(addresses(pieces.hosts, PORT)?),
                settings: pieces.settings(store_login, 0, tls)?,
            }),
            ("cluster", _) => Err(wrong("a cluster only has the database 0")),
            ("sentinel", [master] | [master, _]) => {
                let sentinel_login = login(query.sentinel_user, query.sentinel_password)?;
                let sentinel_settings = pieces.settings(sentinel_login, 0, tls)?;
                Ok(Self {
                    layout: Layout::Sentinel {
                        sentinels: addresses(pieces.hosts, SENTINEL_PORT)?,
                        settings: sentinel_settings.clone(),
                        master: decoded(master)?,
                    },
                    settings: ConnectionSettings {
                        login: store_login,
                        database: one_database(names.get(1))?,
                        tls: sentinel_settings.tls,
                    },
                })
            }
            ("sentinel", []) => Err(wrong("the name of the master is missing")),
            _ => Err(wrong("it has an unknown form")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Address, Endpoint, Layout};

    /// A parsed URL as a line of text.
    fn read(url: &str) -> String {
        let endpoint = Endpoint::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"));
        let join = |all: &[Address]| all.iter().map(Address::to_string).collect::<Vec<_>>().join(" ");
        let layout = match &endpoint.layout {
            Layout::One(address) => address.to_string(),
            Layout::Cluster(nodes) => format!("cluster {}", join(nodes)),
            Layout::Sentinel { sentinels, settings, master } => {
                let login =
                    settings.login.password.as_ref().map(|password| format!(" with password {}", password.as_str()));
                format!("{master} by {}{}", join(sentinels), login.unwrap_or_default())
            }
        };
        let settings = &endpoint.settings;
        let login = settings.login.password.as_ref().map(|password| {
            format!(" as {}:{}", settings.login.user.as_deref().unwrap_or_default(), password.as_str())
        });
        let tls = if settings.tls.is_some() { " tls" } else { "" };
        format!("{layout} {}{tls}{}", settings.database, login.unwrap_or_default())
    }

    #[test]
    fn every_form_of_url_is_parsed() {
        for (url, parsed) in [
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
            (
                "redis+sentinel://zoe:s@a/sessions/3?sentinel_password=t",
                "sessions by a:26379 with password t 3 as zoe:s",
            ),
        ] {
            assert_eq!(read(url), parsed, "{url}");
        }
    }

    #[test]
    fn no_error_repeats_a_part_of_the_url() {
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
            let error = Endpoint::parse(url).map(drop).expect_err(url).to_string();
            assert!(!error.contains("hunter2") && error.contains("Redis"), "{url}: {error}");
        }
    }
}
