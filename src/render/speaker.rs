//! Who speaks, whatever the line says.

use crate::model::message::{Block, Message, Role};

impl Message {
    /// Who really speaks: agents send what tools answered in the person's name, so a message of nothing but answers of
    /// tools is [`Role::Tool`]'s.
    pub fn speaker(&self) -> Role {
        let is_answer = |block: &Block| matches!(block, Block::ToolResult { .. });
        if !self.content.is_empty() && self.content.iter().all(is_answer) {
            return Role::Tool;
        }
        self.role
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_answers_alone_is_a_tools() {
        let answer = Block::ToolResult {
            id: None,
            name: None,
            output: String::new(),
            is_error: false,
            images: Vec::new(),
        };
        let mut message = Message::new(Role::User);
        assert_eq!(message.speaker(), Role::User);
        message.content.push(answer);
        assert_eq!(message.speaker(), Role::Tool);
        message.content.push(Block::Text { text: "x".into() });
        assert_eq!(message.speaker(), Role::User);
    }
}
