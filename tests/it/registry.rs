//! The registry of providers: providers of one's own, errors that stop nobody, and no deadlock.

use std::ops::ControlFlow;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use scrollback::provider::{
    Listing, Places, ProviderMessage, ProviderRegistry, ProviderSession, Scan, SessionProvider,
};
use scrollback::{Error, Result};

use crate::harness::Home;
use crate::providers::{FOLDER, REAL};

/// A provider of somebody else's.
struct Own {
    agent: &'static str,
    call: Box<dyn Fn() -> Result<Vec<String>> + Send + Sync>,
}

impl SessionProvider for Own {
    fn agent_type(&self) -> &str {
        self.agent
    }

    fn list_projects(&self) -> Result<Vec<String>> {
        (self.call)()
    }

    fn list_sessions(&self, project: &str) -> Result<Listing> {
        Err(Error::ProjectNotFound {
            agent: self.agent.to_owned(),
            project: project.to_owned(),
        })
    }

    fn read_session(&self, id: &str) -> Result<ProviderSession> {
        Err(Error::NotFound {
            wanted: id.to_owned(),
        })
    }

    fn scan_messages(
        &self,
        _id: &str,
        _visit: &mut dyn FnMut(ProviderMessage) -> ControlFlow<()>,
    ) -> Result<Scan> {
        Ok(Scan::default())
    }
}

#[test]
fn a_provider_of_ones_own_is_registered_and_replaces_another() {
    let registry = ProviderRegistry::new();
    let missing = registry.provider_for("own").err().unwrap();
    assert!(matches!(missing, Error::ProviderNotFound { agent } if agent == "own"));
    for projects in [1, 2] {
        let call = Box::new(move || Ok(vec!["p".to_owned(); projects]));
        registry.register(Own { agent: "own", call });
        let provider = registry.provider_for("own").unwrap();
        assert_eq!(provider.list_projects().unwrap().len(), projects);
    }
    let mut copy = registry.providers();
    copy.clear();
    assert_eq!(registry.providers().len(), 1);
}

#[test]
fn hazard_6_8_8_a_provider_may_use_the_registry_while_it_is_listed() {
    let registry = Arc::new(ProviderRegistry::new());
    let inner = Arc::clone(&registry);
    let call = Box::new(move || {
        let call = Box::new(|| Ok(Vec::new()));
        inner.register(Own {
            agent: "late",
            call,
        });
        assert!(inner.provider_for("late").is_ok());
        assert_eq!(inner.providers().len(), 2);
        Ok(Vec::new())
    });
    registry.register(Own { agent: "own", call });
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let all = registry.list_all_sessions();
        sender.send(all.sessions.len()).unwrap();
    });
    let agents = receiver.recv_timeout(Duration::from_secs(20));
    assert_eq!(
        agents,
        Ok(1),
        "deadlock, or a list that changed while it was read"
    );
}

#[test]
fn hazard_6_8_9_errors_are_reported_and_stop_nobody() {
    let home = Home::new();
    home.write(&format!("{FOLDER}/s1.jsonl"), REAL);
    home.write(".claude/projects/-w-other/sessions-index.json", "{");
    home.write(
        ".claude/projects/-w-stale/sessions-index.json",
        r#"{"sessions":{"gone":{"projectPath":"/w"}}}"#,
    );
    home.write(".gemini/tmp/c5/chats/session-1.json", "no json");
    let registry = ProviderRegistry::with_places(&Places::under(home.path()));
    let call = Box::new(|| {
        Err(Error::Busy {
            reason: "not now".to_owned(),
        })
    });
    registry.register(Own {
        agent: "broken",
        call,
    });
    let call = Box::new(|| Ok(vec!["half".to_owned()]));
    registry.register(Own {
        agent: "half",
        call,
    });
    let all = registry.list_all_sessions();
    assert_eq!(all.sessions["claude-code"].len(), 1);
    let unread: Vec<u64> = all.sessions["gemini"]
        .iter()
        .map(|one| one.unread_lines)
        .collect();
    assert_eq!(
        unread,
        [1],
        "a document that is none is a session that cannot be read"
    );
    let problems: Vec<(&str, bool)> = all
        .problems
        .iter()
        .map(|problem| {
            let retry = problem.error.is_retryable();
            (problem.agent.as_str(), retry)
        })
        .collect();
    assert_eq!(
        problems,
        [
            ("broken", true),
            ("claude-code", false),
            ("claude-code", false),
            ("half", false)
        ]
    );
    let stale = &all.problems[2];
    assert!(matches!(stale.error, Error::NotFound { .. }));
    assert!(stale.about.ends_with("gone"), "{}", stale.about);
}

#[test]
fn an_agent_that_never_ran_has_no_sessions() {
    let home = Home::new();
    let registry = ProviderRegistry::with_places(&Places::under(home.path()));
    for (agent, provider) in registry.providers() {
        assert_eq!(
            provider.list_projects().unwrap(),
            Vec::<String>::new(),
            "{agent}"
        );
        let error = provider.list_sessions("/w").unwrap_err();
        assert!(matches!(error, Error::ProjectNotFound { .. }), "{agent}");
        let error = provider.read_session("s").unwrap_err();
        assert!(matches!(error, Error::NotFound { .. }), "{agent}");
    }
    assert!(registry.list_all_sessions().problems.is_empty());
    assert!(!home.path().join(".claude").exists());
}
