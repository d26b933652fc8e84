//! The forge's pages: small, plain HTML.

/// A page in the forge's frame.
fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{title} - Forge</title>\n\
         </head>\n<body>\n<header><a href=\"/\">Forge</a> <a href=\"/pricing\">Pricing</a> \
         <a href=\"/account/signin\">Sign in</a></header>\n<main>\n<h1>{title}</h1>\n{body}\n</main>\n</body>\n</html>\n"
    )
}

pub(super) fn front() -> String {
    page("Code together", "<p>Repositories, reviews and pipelines for teams.</p>")
}

/// A workspace's own page. The name is one of ours, so it needs no escaping.
pub(super) fn workspace(name: &str, origin: &str) -> String {
    page(
        name,
        &format!(
            "<h2>Repositories</h2>\n<ul>\n<li><a href=\"/{name}/demo\">demo</a> \
             <code>git clone {origin}/{name}/demo.git</code></li>\n</ul>"
        ),
    )
}

pub(super) fn not_found() -> String {
    page(
        "Repository not found",
        "<p>Repository not found. It may have been deleted or renamed, or you may not have access to it.</p>",
    )
}

/// A page with one sentence. Texts of visitors are escaped.
pub(super) fn message(title: &str, text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    page(title, &format!("<p>{text}</p>"))
}

pub(super) fn sign_in(token: &str) -> String {
    let note = "<p><a href=\"/account/signup\">Create an account</a></p>";
    form("Sign in", "/account/signin", "current-password", token, note)
}

/// The second half of signing in.
pub(super) fn code(token: &str) -> String {
    page(
        "Enter your code",
        &format!(
            "<form method=\"post\" action=\"/account/signin/code\">\n\
             <input type=\"hidden\" name=\"token\" value=\"{token}\">\n\
             <label>Code <input name=\"code\" inputmode=\"numeric\" autocomplete=\"one-time-code\"></label>\n\
             <button>Sign in</button>\n</form>"
        ),
    )
}

pub(super) fn sign_up(token: &str) -> String {
    form("Create your account", "/account/signup", "new-password", token, "<p>Free for teams of up to five.</p>")
}

fn form(title: &str, action: &str, password: &str, token: &str, note: &str) -> String {
    page(
        title,
        &format!(
            "<form method=\"post\" action=\"{action}\">\n\
             <input type=\"hidden\" name=\"csrf\" value=\"{token}\">\n\
             <label>Email <input type=\"email\" name=\"email\" autocomplete=\"username\"></label>\n\
             <label>Password <input type=\"password\" name=\"password\" autocomplete=\"{password}\"></label>\n\
             <button>{title}</button>\n</form>\n{note}"
        ),
    )
}

pub(super) fn pricing() -> String {
    page(
        "Pricing",
        "<table>\n<tr><th>Plan</th><th>Users</th><th>Per user and month</th></tr>\n\
         <tr><td>Free</td><td>up to 5</td><td>$0</td></tr>\n<tr><td>Standard</td><td>any</td><td>$3</td></tr>\n\
         <tr><td>Premium</td><td>any</td><td>$6</td></tr>\n</table>",
    )
}
