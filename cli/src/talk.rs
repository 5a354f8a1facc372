//! The messages of a transcript in their order: what was taken back stands under a line of its own, and
//! dimmed, until the talk goes on.

use scrollback::{Message, Result};

use super::output::{Output, Style};
use super::transcript;

/// A talk that is printed message by message.
#[derive(Debug, Default)]
pub(crate) struct Talk {
    is_taken_back: bool,
}

impl Talk {
    /// Prints the next message.
    pub(crate) fn print(&mut self, message: &Message, out: &mut Output) -> Result<()> {
        if self.is_taken_back == message.live {
            self.is_taken_back = !message.live;
            let text = if message.live {
                "(the talk goes on)"
            } else {
                "(taken back: what follows is kept, and was left behind)"
            };
            out.line("")?;
            let text = out.paint(Style::Dim, text).into_owned();
            out.line(&text)?;
        }
        out.dim(!message.live);
        let printed = transcript::print_message(message, out);
        out.dim(false);
        printed
    }
}

#[cfg(test)]
mod tests {
    use scrollback::Role;

    use super::super::output::tests::captured;
    use super::*;

    fn said(text: &str) -> Message {
        Message::text(Role::User, text)
    }

    fn printed(messages: &[Message]) -> String {
        let (mut out, stdout, _) = captured(false, false);
        let mut talk = Talk::default();
        for message in messages {
            talk.print(message, &mut out).unwrap();
        }
        out.flush().unwrap();
        stdout.text()
    }

    #[test]
    fn what_was_taken_back_stands_under_a_line_of_its_own() {
        let mut wrong = said("wrong");
        wrong.live = false;
        let text = printed(&[said("one"), wrong.clone(), wrong, said("two")]);
        assert_eq!(
            text,
            "\nuser\n  one\n\n(taken back: what follows is kept, and was left behind)\n\nuser\n  \
             wrong\n\nuser\n  wrong\n\n(the talk goes on)\n\nuser\n  two\n"
        );
    }

    #[test]
    fn what_was_put_in_is_one_line_and_a_sub_agent_is_named() {
        let mut message = said("<reminder>\nbe nice\n</reminder>");
        message.injected = true;
        message.agent_id = Some("a1".to_owned());
        assert_eq!(
            printed(&[message]),
            "\nuser  sub-agent a1\n  (put in by the agent) <reminder> be nice </reminder>\n"
        );
    }
}
