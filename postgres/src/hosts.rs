//! The servers that a URL names, such as one and its standby: each is asked by itself, for its share of the time,
//! so that one that takes connections and says nothing keeps nobody from the next.

use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, LoadBalanceHosts};
use uuid::Uuid;

/// One of the servers.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    /// What it is called in errors.
    pub(crate) name: String,
    pub(crate) config: Config,
}

/// The servers that a configuration names, in the order in which they are asked, each with its share of the time
/// to be connected to; what is wrong with the names, if they are none.
pub(crate) fn servers(
    config: &Config,
    wait: Duration,
) -> Result<(Vec<Server>, Duration), &'static str> {
    let (hosts, addresses) = (config.get_hosts().len(), config.get_hostaddrs().len());
    let count = hosts.max(addresses);
    if count == 0 {
        return Err("it names no server");
    }
    if hosts.min(addresses) > 0 && hosts != addresses {
        return Err("it has another number of `hostaddr` than of servers");
    }
    let ports = config.get_ports().len();
    if ports > 1 && ports != count {
        return Err("it has another number of ports than of servers");
    }
    let share = wait / u32::try_from(count).unwrap_or(u32::MAX);
    let mut servers: Vec<Server> = (0..count)
        .map(|place| server(config, place, share))
        .collect();
    if config.get_load_balance_hosts() == LoadBalanceHosts::Random {
        let random = Uuid::new_v4().as_u128() % count as u128;
        servers.rotate_left(usize::try_from(random).unwrap_or_default());
    }
    Ok((servers, share))
}

fn server(config: &Config, place: usize, share: Duration) -> Server {
    let mut one = alone(config);
    one.connect_timeout(share);
    let mut name = String::new();
    match config.get_hosts().get(place) {
        Some(Host::Tcp(host)) => {
            one.host(host);
            name.clone_from(host);
        }
        #[cfg(unix)]
        Some(Host::Unix(path)) => {
            one.host_path(path);
            name = path.display().to_string();
        }
        None => {}
    }
    if let Some(address) = config.get_hostaddrs().get(place) {
        one.hostaddr(*address);
        if name.is_empty() {
            name = address.to_string();
        }
    }
    let ports = config.get_ports();
    if let Some(port) = ports.get(place).or(ports.first()) {
        one.port(*port);
        name = format!("{name}:{port}");
    }
    Server { name, config: one }
}

/// The same, without its servers.
fn alone(config: &Config) -> Config {
    let mut one = Config::new();
    one.ssl_mode(config.get_ssl_mode())
        .ssl_negotiation(config.get_ssl_negotiation())
        .channel_binding(config.get_channel_binding())
        .target_session_attrs(config.get_target_session_attrs())
        .keepalives(config.get_keepalives())
        .keepalives_idle(config.get_keepalives_idle());
    if let Some(interval) = config.get_keepalives_interval() {
        one.keepalives_interval(interval);
    }
    if let Some(retries) = config.get_keepalives_retries() {
        one.keepalives_retries(retries);
    }
    if let Some(wait) = config.get_tcp_user_timeout() {
        one.tcp_user_timeout(*wait);
    }
    if let Some(user) = config.get_user() {
        one.user(user);
    }
    if let Some(password) = config.get_password() {
        one.password(password);
    }
    if let Some(database) = config.get_dbname() {
        one.dbname(database);
    }
    if let Some(options) = config.get_options() {
        one.options(options);
    }
    if let Some(name) = config.get_application_name() {
        one.application_name(name);
    }
    one
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(url: &str) -> Result<Vec<String>, &'static str> {
        let config: Config = url.parse().unwrap();
        let (servers, share) = servers(&config, Duration::from_secs(10))?;
        assert_eq!(
            share * u32::try_from(servers.len()).unwrap(),
            Duration::from_secs(10)
        );
        Ok(servers.into_iter().map(|server| server.name).collect())
    }

    #[test]
    fn each_server_of_a_url_is_one_by_itself() {
        let names = |url| named(url).unwrap().join(" ");
        assert_eq!(names("postgres://a/x"), "a:5432");
        assert_eq!(names("postgres://a:1,b:2/x"), "a:1 b:2");
        assert_eq!(names("postgres://a,b:7/x"), "a:5432 b:7");
        assert_eq!(names("host=a,b port=7 dbname=x"), "a:7 b:7");
        assert_eq!(names("postgres:///x?hostaddr=10.0.0.1"), "10.0.0.1");
        assert!(named("postgres://a,b/x?port=7").is_err());
        assert!(named("postgres:///x").is_err());
        assert!(named("postgres://a,b/x?hostaddr=10.0.0.1").is_err());
    }

    #[test]
    fn what_a_url_says_besides_is_said_of_each() {
        let url = "postgres://me:word@a,b/x?sslmode=require&target_session_attrs=read-write&\
                   options=-ctimezone%3Dutc&application_name=n&keepalives=0&keepalives_idle=7&\
                   keepalives_interval=8&keepalives_retries=9&tcp_user_timeout=3&channel_binding=disable&\
                   sslnegotiation=direct&load_balance_hosts=disable";
        let config: Config = url.parse().unwrap();
        let (servers, share) = servers(&config, Duration::from_secs(4)).unwrap();
        for (server, host) in servers.iter().zip(["a", "b"]) {
            let mut wanted = alone(&config);
            wanted.host(host).connect_timeout(share);
            // A host of a URL has a port, if only the common one.
            if let Some(port) = config.get_ports().first() {
                wanted.port(*port);
            }
            assert_eq!(server.config, wanted);
        }
        let mut both = alone(&config);
        both.host("a").host("b");
        for port in config.get_ports() {
            both.port(*port);
        }
        assert_eq!(both, config, "something that a URL can say is left out");
    }
}
