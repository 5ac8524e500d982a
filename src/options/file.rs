//! Loads options from the text of an INI file, such as Pyramid's.

use crate::error::Error;
use crate::options::Options;

/// A setting: a name and the lines of its value.
struct Setting<'t> {
    /// The number of its first line, counted from 1.
    line: usize,
    name: &'t str,
    values: Vec<&'t str>,
}

impl Options {
    /// Sets options from the text of an INI file. Only settings in one section, and only those whose names begin with a
    /// prefix, are used. The prefix is not part of the option's name. If `section` is empty, the lines before the first
    /// section are used.
    ///
    /// A line is `NAME = VALUE`, `NAME: VALUE`, `[SECTION]`, empty, or a comment that begins with `#` or `;`. A line
    /// that begins with white space continues the value of the line above. Only an option that can be set many times,
    /// such as `previous_secret`, may have several lines: each is one value. Values are taken as they are: `%(here)s`
    /// and `%%` have no special meaning.
    ///
    /// ```
    /// let ini = "[app:main]\nkhufu.secret = seekrit\nkhufu.timeout = 600\nother = 1\n";
    /// let mut options = khufu::Options::new();
    /// options.load(ini, "app:main", "khufu.")?;
    /// let factory = khufu::Factory::new(&options)?;
    /// # Ok::<(), khufu::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Option`] if the text has no such section, if a line has the wrong syntax, or if an option is wrong. The
    /// message contains the number of the line. If an option is wrong, the options on earlier lines stay set. After any
    /// other error, no option is set.
    pub fn load(&mut self, text: &str, section: &str, prefix: &str) -> Result<(), Error> {
        self.load_each(text, section, prefix)?.collect()
    }

    /// Sets options from the text of an INI file as [`Options::load`] does, one for each step of the iterator. A program
    /// that explains a file can so go on after an option that is wrong, and report all of them.
    ///
    /// ```
    /// let mut options = khufu::Options::new();
    /// let ini = "secret = seekrit\ntimeout = soon\nhttponly = maybe\n";
    /// let problems: Vec<_> = options.load_each(ini, "", "")?.filter_map(Result::err).collect();
    /// assert!(problems[0].to_string().starts_with("line 2: the option timeout must be"));
    /// assert!(problems[1].to_string().starts_with("line 3: the option httponly must be"));
    /// # Ok::<(), khufu::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Option`] if the text has no such section, or if a line has the wrong syntax. Each step gives
    /// [`Error::Option`] if its option is wrong.
    pub fn load_each<'o>(
        &'o mut self,
        text: &'o str,
        section: &str,
        prefix: &'o str,
    ) -> Result<impl Iterator<Item = Result<(), Error>> + 'o, Error> {
        let settings = settings(text, section)?.into_iter();
        Ok(settings.filter_map(move |setting| Some(self.apply(setting.name.strip_prefix(prefix)?, &setting))))
    }

    fn apply(&mut self, name: &str, setting: &Setting<'_>) -> Result<(), Error> {
        match Self::row(name) {
            None if !may_be_shown(name) => {
                return Err(at_line(
                    setting.line,
                    "there is no such option (its name may be a secret: it is not shown)",
                ));
            }
            Some(row) if setting.values.len() > 1 && !row.repeats => {
                let problem = format!("the option {name} has one value, but an indented line below continues it");
                return Err(at_line(setting.line, &problem));
            }
            _ => {}
        }
        // An empty value unsets the option.
        let values = if setting.values.is_empty() { &[""][..] } else { &setting.values };
        for value in values {
            self.set(name, value).map_err(|error| at_line(setting.line, &error.to_string()))?;
        }
        Ok(())
    }
}

/// The settings of a section.
fn settings<'t>(text: &'t str, section: &str) -> Result<Vec<Setting<'t>>, Error> {
    let (mut settings, mut is_found) = (Vec::<Setting<'_>>::new(), section.is_empty());
    let (mut is_inside, mut can_continue) = (section.is_empty(), false);
    for (index, written) in text.lines().enumerate() {
        let (line, trimmed) = (index + 1, written.trim());
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if written.starts_with([' ', '\t']) && can_continue {
            if let Some(setting) = settings.last_mut().filter(|_| is_inside) {
                setting.values.push(trimmed);
            }
        } else if let Some(name) = trimmed.strip_prefix('[') {
            let name = name.strip_suffix(']').ok_or_else(|| at_line(line, "a section's name must end with ]"))?;
            is_inside = name.trim() == section;
            is_found |= is_inside;
            can_continue = false;
        } else {
            let (name, value) =
                trimmed.split_once(['=', ':']).ok_or_else(|| at_line(line, "NAME = VALUE was expected"))?;
            can_continue = true;
            if is_inside {
                let values = Some(value.trim()).filter(|value| !value.is_empty());
                settings.push(Setting { line, name: name.trim(), values: values.into_iter().collect() });
            }
        }
    }
    match is_found {
        true => Ok(settings),
        false => Err(Error::Option(format!("there is no section [{section}]"))),
    }
}

/// True if a text looks like the name of an option. A secret on a line of its own may be taken for a name.
fn may_be_shown(name: &str) -> bool {
    name.len() <= 40 && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.'))
}

fn at_line(line: usize, problem: &str) -> Error {
    Error::Option(format!("line {line}: {problem}"))
}

#[cfg(test)]
mod tests {
    use crate::options::Options;

    fn loaded(text: &str, section: &str, prefix: &str) -> Result<Options, String> {
        let mut options = Options::new();
        options.load(text, section, prefix).map_err(|error| error.to_string())?;
        Ok(options)
    }

    const INI: &str = "\
# Pyramid's own file
outside = 1

[app:main]
use = egg:shop
khufu.secret = a = b
khufu.timeout: 600
; a comment
khufu.previous_secret =
    first
    second
khufu.domain =

[server:main]
khufu.timeout = 1
";

    #[test]
    fn options_are_read_from_one_section_and_with_a_prefix() {
        let options = loaded(INI, "app:main", "khufu.").unwrap();
        let settings = options.settings();
        assert_eq!(settings.get("secret"), Some("a = b"));
        assert_eq!(settings.number("timeout"), Some(600));
        assert_eq!(settings.get("domain"), None);
        let previous: Vec<_> = settings.all(&["previous_secret"]).map(|(_, secret)| secret).collect();
        assert_eq!(previous, ["first", "second"]);
        let options = loaded("timeout = 5", "", "").unwrap();
        assert_eq!(options.settings().number("timeout"), Some(5));
    }

    #[test]
    fn an_error_names_its_line_and_no_secret() {
        for (text, section, prefix, expected) in [
            (INI, "app:other", "khufu.", "no section [app:other]"),
            ("a = 1\nsecret", "", "", "line 2: NAME = VALUE"),
            ("[open\n", "", "", "line 1: a section's name"),
            ("\n\ntimeout = soon", "", "", "line 3: the option timeout must be"),
            ("tiemout = 1", "", "", "line 1: there is no option \"tiemout\""),
            ("secret_hex = xyz", "", "", "line 1: the option secret_hex must be"),
            ("a.timeout = 600\n  a.secret = xyz", "", "a.", "line 1: the option timeout has one value, but"),
            ("timeout = 1\nTXlxyz=", "", "", "line 2: there is no such option (its name may be a secret"),
            ("secret xyz =", "", "", "line 1: there is no such option (its name may be a secret"),
        ] {
            let error = loaded(text, section, prefix).err().expect(text);
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains("xyz"));
        }
    }
}
