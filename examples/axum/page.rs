//! The shop's HTML.

/// The shop's page, with the forms for what the visitor can do.
pub fn home(csrf_token: &str, user: Option<String>, cart: Vec<String>, messages: Vec<String>) -> String {
    let token = format!(r#"<input type="hidden" name="csrf_token" value="{csrf_token}">"#);
    let messages: String = messages.iter().map(|message| format!("<p>{}</p>\n", escaped(message))).collect();
    let articles: String = cart.iter().map(|sku| format!("<li>{}</li>\n", escaped(sku))).collect();
    let account = match user {
        Some(user) => {
            let user = escaped(&user);
            format!("<form method=\"post\" action=\"/logout\">{token}Hello, {user}! <button>Log out</button></form>")
        }
        None => format!(
            "<form method=\"post\" action=\"/login\">{token}\
             <label>Name <input name=\"user\" required></label> <button>Log in</button></form>"
        ),
    };
    page(&format!(
        "{messages}{account}\n<ul>\n{articles}</ul>\n<form method=\"post\" action=\"/cart\">{token}\
         <label>Article <input name=\"sku\" value=\"A-1\" required></label> <button>Add to the cart</button></form>\n"
    ))
}

/// The page for errors.
pub fn sorry() -> String {
    page("<p>That did not work. Please go back and try again.</p>\n")
}

fn page(body: &str) -> String {
    format!("<!doctype html>\n<meta charset=\"utf-8\"><title>Shop</title>\n<h1>Shop</h1>\n{body}")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}
