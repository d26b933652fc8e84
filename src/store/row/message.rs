//! A message as columns: the number of its form, a title and a text as every form has them, and what else it needs.

use super::code::{Form, form_code, form_of_code};
use crate::model::{MailMessage, Message};
use crate::store::StoreError;

/// The columns of a message.
pub(in crate::store) struct MessageRow {
    pub(in crate::store) form: i64,
    pub(in crate::store) subject: String,
    pub(in crate::store) text: String,
    pub(in crate::store) html: String,
    pub(in crate::store) message_id: String,
    pub(in crate::store) thread: Option<String>,
}

impl From<&Message> for MessageRow {
    fn from(message: &Message) -> Self {
        match message {
            Message::Mail(mail) => Self {
                form: form_code(Form::Mail),
                subject: mail.subject.clone(),
                text: mail.text.clone(),
                html: mail.html.clone(),
                message_id: mail.id.clone(),
                thread: mail.thread.clone(),
            },
        }
    }
}

impl TryFrom<MessageRow> for Message {
    type Error = StoreError;

    fn try_from(row: MessageRow) -> Result<Self, StoreError> {
        let MessageRow { form, subject, text, html, message_id, thread } = row;
        Ok(match form_of_code(form)? {
            Form::Mail => Self::Mail(MailMessage { subject, text, html, id: message_id, thread }),
        })
    }
}
