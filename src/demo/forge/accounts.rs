//! Accounts: signing in by a form that holds a token against forged requests, sessions, and signing up by mail.
//!
//! Everything is kept in memory and bounded; the oldest goes first.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::inbox::nonce;
use crate::model::Timestamp;
use crate::model::kind::flow::{Totp, TotpHash};
use crate::probe::flow::totp;

/// Who may sign in from the beginning: the address and the password. A one-time code is asked for as well.
pub(super) const KNOWN: (&str, &str) = ("probe@forge.example", "correct horse battery staple");
/// What the codes are made with.
pub(super) const CODES: &[u8; 20] = b"practise makes good!";

/// How long a code is good for.
const PERIOD: Duration = Duration::from_secs(30);
/// How many sessions, forms and accounts are remembered of each.
const MOST_REMEMBERED: usize = 1_000;
/// The longest address or password that is taken, in bytes.
const LONGEST_NAME: usize = 200;

/// What the forge knows of its users.
#[derive(Debug, Default)]
pub(super) struct Accounts(Mutex<Books>);

#[derive(Debug, Default)]
struct Books {
    /// The token of a form, by the visitor that it was given to.
    forms: VecDeque<(String, String)>,
    /// Who has shown a password and owes a code, by the token of the form for it.
    halfway: VecDeque<(String, String)>,
    /// Who is signed in, by session.
    sessions: VecDeque<(String, String)>,
    /// Address and password of those who have not confirmed yet, by the token that was mailed.
    waiting: VecDeque<(String, (String, String))>,
    /// Address and password of those who have.
    users: VecDeque<(String, String)>,
}

/// What came of a form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Entered {
    /// The session that begins, or the token that is to be mailed.
    Well(String),
    /// The token of the form that asks for a code.
    Halfway(String),
    /// The form's token is missing, or another visitor's.
    Forged,
    /// Address and password do not go together, or cannot be taken.
    Wrong,
}

impl Accounts {
    /// A form for a visitor: the visitor's new name and the form's token.
    pub(super) fn form(&self) -> (String, String) {
        let (visitor, token) = (secret(), secret());
        keep(&mut self.books().forms, visitor.clone(), token.clone());
        (visitor, token)
    }

    pub(super) fn sign_in(&self, visitor: &str, token: &str, address: &str, password: &str) -> Entered {
        let mut books = self.books();
        if !books.spend(visitor, token) {
            return Entered::Forged;
        }
        let known =
            (address, password) == KNOWN || books.users.iter().any(|(user, own)| user == address && own == password);
        if !known {
            return Entered::Wrong;
        }
        let session = secret();
        if address == KNOWN.0 {
            keep(&mut books.halfway, session.clone(), address.to_owned());
            return Entered::Halfway(session);
        }
        keep(&mut books.sessions, session.clone(), address.to_owned());
        Entered::Well(session)
    }

    /// The second half of signing in: the token of the form, and the code of this moment or the one before.
    pub(super) fn show_code(&self, token: &str, code: &str, now: Timestamp) -> Entered {
        let mut books = self.books();
        let Some(place) = books.halfway.iter().position(|(known, _)| known == token) else { return Entered::Forged };
        let codes = Totp { secret: CODES.to_vec().into(), hash: TotpHash::Sha1, digits: 6, period: PERIOD };
        if ![now, now - PERIOD].into_iter().any(|moment| totp::code(&codes, moment) == code) {
            return Entered::Wrong;
        }
        let Some((_, address)) = books.halfway.remove(place) else { return Entered::Forged };
        let session = secret();
        keep(&mut books.sessions, session.clone(), address);
        Entered::Well(session)
    }

    /// Takes a sign-up; the token that it gives is what the mail has to bring.
    pub(super) fn sign_up(&self, visitor: &str, token: &str, address: &str, password: &str) -> Entered {
        let mut books = self.books();
        if !books.spend(visitor, token) {
            return Entered::Forged;
        }
        let sound = address.contains('@') && !address.contains(char::is_whitespace) && !password.is_empty();
        if !sound || address.len().max(password.len()) > LONGEST_NAME {
            return Entered::Wrong;
        }
        let mailed = secret();
        keep(&mut books.waiting, mailed.clone(), (address.to_owned(), password.to_owned()));
        Entered::Well(mailed)
    }

    /// Who has followed the link of the mail; nobody when it is not known, or was followed before.
    pub(super) fn confirm(&self, mailed: &str) -> Option<String> {
        let mut books = self.books();
        let place = books.waiting.iter().position(|(token, _)| token == mailed)?;
        let (_, (address, password)) = books.waiting.remove(place)?;
        keep(&mut books.users, address.clone(), password);
        Some(address)
    }

    pub(super) fn who(&self, session: &str) -> Option<String> {
        self.books().sessions.iter().find(|(known, _)| known == session).map(|(_, address)| address.clone())
    }

    pub(super) fn sign_out(&self, session: &str) {
        self.books().sessions.retain(|(known, _)| known != session);
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        // Lists cannot be left half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    /// Whether the token is the one of the visitor's form, which is used up.
    fn spend(&mut self, visitor: &str, token: &str) -> bool {
        let place = self.forms.iter().position(|(known, own)| known == visitor && own == token);
        place.and_then(|place| self.forms.remove(place)).is_some()
    }
}

fn keep<T>(list: &mut VecDeque<(String, T)>, name: String, value: T) {
    if list.len() >= MOST_REMEMBERED {
        list.pop_front();
    }
    list.push_back((name, value));
}

/// What nobody can guess; nothing, and so the same for all, on a machine without random numbers.
pub(super) fn secret() -> String {
    nonce().unwrap_or_default()
}
