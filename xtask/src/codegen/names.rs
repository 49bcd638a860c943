//! Rust names for the model's names.

/// Spellings whose word boundary the general rule would miss.
const WORDS: &[(&str, &str)] = &[("FSx", "Fsx")];

/// Words that are no identifiers.
const KEYWORDS: &[&str] = &[
    "as", "async", "await", "box", "break", "const", "continue", "dyn", "else", "enum", "extern", "false", "final",
    "fn", "for", "gen", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "override", "priv", "pub",
    "ref", "return", "static", "struct", "trait", "true", "try", "type", "typeof", "unsafe", "use", "virtual", "where",
    "while", "yield",
];

/// `enableECSManagedTags` → `enable_ecs_managed_tags`: a file's or a field's name.
pub fn snake_case(name: &str) -> String {
    let name = WORDS.iter().fold(name.to_owned(), |name, (from, to)| name.replace(from, to));
    let letters: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (index, letter) in letters.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| letters.get(before));
        let after = letters.get(index + 1);
        let starts_word = letter.is_ascii_uppercase()
            && before.is_some_and(|before| {
                !before.is_ascii_uppercase() || after.is_some_and(|after| after.is_ascii_lowercase())
            });
        if starts_word {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

/// The name of the field that holds the member.
pub fn field(member: &str) -> String {
    let snake = snake_case(member);
    if KEYWORDS.contains(&snake.as_str()) { format!("r#{snake}") } else { snake }
}

/// `FARGATE_SPOT` → `FargateSpot`, `json-file` → `JsonFile`: an enumeration's variant.
///
/// `Unknown` is taken by values outside the model, so a value spelt that way becomes
/// `UnknownValue`.
pub fn variant(value: &str) -> String {
    let words = value.split(|letter: char| !letter.is_ascii_alphanumeric());
    let name: String = words.map(variant_word).collect();
    if name == "Unknown" { "UnknownValue".to_owned() } else { name }
}

fn variant_word(word: &str) -> String {
    let all_upper = !word.chars().any(|letter| letter.is_ascii_lowercase());
    let mut letters = word.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    let rest = letters.map(|letter| if all_upper { letter.to_ascii_lowercase() } else { letter });
    first.into_iter().chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snake_case_splits_words_and_acronyms() {
        for (name, snake) in [
            ("ListTasks", "list_tasks"),
            ("enableECSManagedTags", "enable_ecs_managed_tags"),
            ("bindIP", "bind_ip"),
            ("s3BucketName", "s3_bucket_name"),
            ("ec2InstanceId", "ec2_instance_id"),
            ("EFSVolumeConfiguration", "efs_volume_configuration"),
            ("FSxWindowsFileServer", "fsx_windows_file_server"),
            ("totalLocalStorageGB", "total_local_storage_gb"),
        ] {
            assert_eq!(snake_case(name), snake);
        }
    }

    #[test]
    fn keywords_become_raw_identifiers() {
        assert_eq!(field("type"), "r#type");
        assert_eq!(field("typeName"), "type_name");
    }

    #[test]
    fn variants_are_camel_case() {
        for (value, name) in [
            ("EC2", "Ec2"),
            ("FARGATE_SPOT", "FargateSpot"),
            ("json-file", "JsonFile"),
            ("serviceLongArnFormat", "ServiceLongArnFormat"),
            ("WINDOWS_SERVER_2019_CORE", "WindowsServer2019Core"),
            ("UNKNOWN", "UnknownValue"),
            ("ecs.capability", "EcsCapability"),
        ] {
            assert_eq!(variant(value), name);
        }
    }
}
