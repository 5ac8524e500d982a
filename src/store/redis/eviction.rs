//! Finds out from a server's answer to INFO whether it may evict keys.

use crate::sys::lock;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// The eviction policy of one server, as far as it is known.
#[derive(Default)]
pub(super) struct Eviction {
    asked: AtomicBool,
    /// The server's `maxmemory-policy`, if the server may evict keys.
    policy: Mutex<Option<String>>,
}

impl Eviction {
    /// True on the first call only, so that the server is asked once.
    pub fn is_first(&self) -> bool {
        !self.asked.swap(true, Ordering::Relaxed)
    }

    /// Records the server's answer to `INFO memory`.
    pub fn note(&self, info: &str) {
        let field = |name: &str| info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let is_bounded = field("maxmemory").is_some_and(|bytes| bytes != "0");
        let policy = field("maxmemory_policy").filter(|policy| is_bounded && *policy != "noeviction");
        *lock(&self.policy) = policy.map(str::to_owned);
    }

    pub fn policy(&self) -> Option<String> {
        lock(&self.policy).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::Eviction;

    #[test]
    fn a_server_may_evict_if_its_memory_is_bounded_and_its_policy_allows_it() {
        let policy = |info: &str| {
            let eviction = Eviction::default();
            eviction.note(info);
            eviction.policy()
        };
        let info = |bytes: &str, policy: &str| {
            format!(
                "# Memory\r\nused_memory:1\r\nmaxmemory:{bytes}\r\nmaxmemory_human:x\r\nmaxmemory_policy:{policy}\r\n"
            )
        };
        assert_eq!(policy(&info("1000", "allkeys-lru")).as_deref(), Some("allkeys-lru"));
        assert_eq!(policy(&info("1000", "volatile-ttl")).as_deref(), Some("volatile-ttl"));
        assert_eq!(policy(&info("1000", "noeviction")), None);
        assert_eq!(policy(&info("0", "allkeys-lru")), None);
        assert_eq!(policy(""), None);
        let eviction = Eviction::default();
        eviction.note(&info("1000", "allkeys-lru"));
        eviction.note(&info("1000", "noeviction"));
        assert_eq!(eviction.policy(), None, "the latest answer counts");
        assert!(eviction.is_first() && !eviction.is_first());
    }
}
