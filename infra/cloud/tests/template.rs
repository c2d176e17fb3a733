//! What the template promises beyond being valid: `cargo verify` lints it with cfn-lint, this reads it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use hlsops_cloud::template::{TEMPLATE, read};
use hlsops_store::keys::attribute::{G1P, G1S, INDEX, PK, SK, TTL};
use saphyr::Yaml;

/// Statements that may name resources with a `*`, by policy, and why. A resource that is `*` alone is in no
/// list: everything we do has permissions by resource.
const WIDE: [(&str, &str); 2] = [
    // The objects of one bucket, for one distribution.
    ("SiteBucketPolicy", "${SiteBucket.Arn}/*"),
    // The routes of one API.
    ("ApiInvoke", "execute-api:${AWS::Region}:${AWS::AccountId}:${HttpApi}/*"),
];

/// A node, whatever its tag.
fn bare<'a, 'input>(node: &'a Yaml<'input>) -> &'a Yaml<'input> {
    match node {
        Yaml::Tagged(_, inner) => inner,
        other => other,
    }
}

fn get<'a, 'input>(node: &'a Yaml<'input>, path: &str) -> Option<&'a Yaml<'input>> {
    path.split('.').try_fold(node, |node, key| bare(node).as_mapping_get(key))
}

#[track_caller]
fn at<'a, 'input>(node: &'a Yaml<'input>, path: &str) -> &'a Yaml<'input> {
    get(node, path).unwrap_or_else(|| panic!("no {path}"))
}

fn text(node: &Yaml<'_>) -> Option<String> {
    let node = bare(node);
    node.as_str().map(str::to_owned).or_else(|| node.as_integer().map(|number| number.to_string()))
}

fn list<'a, 'input>(node: &'a Yaml<'input>) -> Vec<&'a Yaml<'input>> {
    bare(node).as_sequence().map_or_else(|| vec![node], |items| items.iter().collect())
}

/// Every text in a tree, keys too.
fn texts(node: &Yaml<'_>) -> Vec<String> {
    let node = bare(node);
    if let Some(items) = node.as_sequence() {
        return items.iter().flat_map(texts).collect();
    }
    if let Some(pairs) = node.as_mapping() {
        return pairs.iter().flat_map(|(key, value)| [texts(key), texts(value)].concat()).collect();
    }
    text(node).into_iter().collect()
}

fn resources<'a, 'input>(template: &'a Yaml<'input>, kind: &str) -> Vec<(String, &'a Yaml<'input>)> {
    let all = at(template, "Resources").as_mapping().unwrap();
    all.iter()
        .filter(|(_, resource)| text(at(resource, "Type")).unwrap() == kind)
        .map(|(name, resource)| (text(name).unwrap(), resource))
        .collect()
}

/// Every statement of every policy, with the resource it is in.
fn statements<'a, 'input>(template: &'a Yaml<'input>) -> Vec<(String, &'a Yaml<'input>)> {
    fn find<'a, 'input>(node: &'a Yaml<'input>, found: &mut Vec<&'a Yaml<'input>>) {
        let node = bare(node);
        if let Some(pairs) = node.as_mapping() {
            for (key, value) in pairs {
                if text(key).as_deref() == Some("Statement") {
                    found.extend(list(value));
                } else {
                    find(value, found);
                }
            }
        }
        for item in node.as_sequence().into_iter().flatten() {
            find(item, found);
        }
    }
    let all = at(template, "Resources").as_mapping().unwrap();
    all.iter()
        .flat_map(|(name, resource)| {
            let mut found = Vec::new();
            find(resource, &mut found);
            found.into_iter().map(|statement| (text(name).unwrap(), statement)).collect::<Vec<_>>()
        })
        .collect()
}

/// What is wrong with the statements of a template.
fn too_wide(template: &Yaml<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    for (owner, statement) in statements(template) {
        let of = |key| get(statement, key).map(texts).unwrap_or_default();
        for forbidden in ["NotAction", "NotResource", "NotPrincipal"] {
            if get(statement, forbidden).is_some() {
                wrong.push(format!("{owner}: {forbidden} allows everything else"));
            }
        }
        for star in ["Action", "Principal"].iter().flat_map(|key| of(key)).filter(|text| text.contains('*')) {
            wrong.push(format!("{owner}: {star}"));
        }
        let listed = |resource: &String| {
            WIDE.iter().any(|(name, allowed)| *name == owner && resource.ends_with(allowed))
        };
        for star in of("Resource").into_iter().filter(|text| text.contains('*') && !listed(text)) {
            wrong.push(format!("{owner}: {star}"));
        }
    }
    wrong
}

#[test]
fn no_policy_allows_more_than_it_names() {
    let template = read(TEMPLATE).unwrap();
    assert!(statements(&template).len() >= 15, "the statements are found");
    assert_eq!(too_wide(&template), [""; 0]);
    for (name, permission) in resources(&template, "AWS::Lambda::Permission") {
        let source = text(at(permission, "Properties.SourceArn")).unwrap();
        assert!(WIDE.iter().any(|(owner, end)| *owner == name && source.ends_with(end)), "{name}: {source}");
    }
    for (name, role) in resources(&template, "AWS::IAM::Role") {
        assert!(get(role, "Properties.ManagedPolicyArns").is_none(), "{name}: AWS's own policies are wide");
    }
}

#[test]
fn a_star_is_found_wherever_it_stands() {
    for (wide, wrong) in [
        ("Action: 'dynamodb:*', Resource: x", "A: dynamodb:*"),
        ("Action: [a:B, 's3:Get*'], Resource: x", "A: s3:Get*"),
        ("Action: a:B, Resource: '*'", "A: *"),
        ("Action: a:B, Resource: [x, !Sub 'arn:${B}/*']", "A: arn:${B}/*"),
        ("Action: a:B, Principal: { AWS: '*' }, Resource: x", "A: *"),
        ("NotAction: a:B, Resource: x", "A: NotAction allows everything else"),
    ] {
        let yaml = format!(
            "Resources: {{ A: {{ Type: T, Properties: {{ P: [ {{ Statement: [ {{ {wide} }} ] }} ] }} }} }}"
        );
        assert_eq!(too_wide(&read(&yaml).unwrap()), [wrong], "{yaml}");
    }
}

#[test]
fn every_function_has_a_role_and_a_log_of_its_own() {
    let template = read(TEMPLATE).unwrap();
    let functions = resources(&template, "AWS::Lambda::Function");
    let distinct = |path| -> usize {
        let values = functions.iter().map(|(_, function)| text(at(function, path)).unwrap());
        values.collect::<BTreeSet<_>>().len()
    };
    assert_eq!(functions.len(), 3);
    assert_eq!(distinct("Properties.Role"), 3);
    assert_eq!(distinct("Properties.LoggingConfig.LogGroup"), 3);
    for (name, logs) in resources(&template, "AWS::Logs::LogGroup") {
        assert_eq!(text(at(logs, "Properties.RetentionInDays")).unwrap(), "LogRetentionDays", "{name}");
    }
}

#[test]
fn only_the_api_deletes_and_nobody_reads_the_whole_table() {
    let template = read(TEMPLATE).unwrap();
    let verbs = |role: &str| -> BTreeSet<String> {
        let own = statements(&template).into_iter().filter(|(owner, _)| owner == role);
        let verbs = own.filter_map(|(_, statement)| get(statement, "Action")).flat_map(texts);
        verbs.filter_map(|verb| verb.strip_prefix("dynamodb:").map(str::to_owned)).collect()
    };
    let work = ["GetItem", "PutItem", "Query", "UpdateItem"].map(str::to_owned);
    assert_eq!(verbs("DispatchRole"), work.clone().into());
    assert_eq!(verbs("WatchRole"), work.clone().into());
    assert_eq!(verbs("ApiRole"), work.into_iter().chain(["DeleteItem".to_owned()]).collect());
    assert_eq!(verbs("TickRole"), BTreeSet::new());
}

#[test]
fn the_table_is_the_one_the_code_creates() {
    let template = read(TEMPLATE).unwrap();
    let table = at(&template, "Resources.Table");
    let properties = at(table, "Properties");
    let schema = |node| -> Vec<(String, String)> {
        let keys = list(at(node, "KeySchema"));
        let key = |key| (text(at(key, "AttributeName")).unwrap(), text(at(key, "KeyType")).unwrap());
        keys.into_iter().map(key).collect()
    };
    let keys = |hash: &str, range: &str| {
        vec![(hash.to_owned(), "HASH".to_owned()), (range.to_owned(), "RANGE".to_owned())]
    };
    assert_eq!(schema(properties), keys(PK, SK));
    let indexes = list(at(properties, "GlobalSecondaryIndexes"));
    assert_eq!(indexes.len(), 1);
    assert_eq!(schema(indexes[0]), keys(G1P, G1S));
    assert_eq!(text(at(indexes[0], "IndexName")).unwrap(), INDEX);
    assert_eq!(text(at(indexes[0], "Projection.ProjectionType")).unwrap(), "ALL");
    assert_eq!(text(at(properties, "TimeToLiveSpecification.AttributeName")).unwrap(), TTL);
    let attributes = list(at(properties, "AttributeDefinitions"));
    let attribute =
        |node| (text(at(node, "AttributeName")).unwrap(), text(at(node, "AttributeType")).unwrap());
    let attributes: BTreeSet<_> = attributes.into_iter().map(attribute).collect();
    assert_eq!(attributes, [PK, SK, G1P, G1S].map(|name| (name.to_owned(), "S".to_owned())).into());
    assert_eq!(text(at(properties, "BillingMode")).unwrap(), "PAY_PER_REQUEST");
    for on in ["PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled", "SSESpecification.SSEEnabled"] {
        assert_eq!(at(properties, on).as_bool(), Some(true), "{on}");
    }
    // The data outlives the stack, but not a creation that failed.
    assert_eq!(text(at(table, "DeletionPolicy")).unwrap(), "RetainExceptOnCreate");
    assert_eq!(text(at(table, "UpdateReplacePolicy")).unwrap(), "Retain");
}

#[test]
fn policies_name_the_index_of_the_code() {
    let template = read(TEMPLATE).unwrap();
    let all: Vec<String> = statements(&template).into_iter().flat_map(|(_, node)| texts(node)).collect();
    let indexes: BTreeSet<_> = all.iter().filter(|text| text.contains("/index/")).collect();
    assert_eq!(indexes, [&format!("${{Table.Arn}}/index/{INDEX}")].into());
}

#[test]
fn the_access_log_holds_no_secret() {
    let template = read(TEMPLATE).unwrap();
    let format = text(at(&template, "Resources.ApiStage.Properties.AccessLogSettings.Format")).unwrap();
    let variables: BTreeSet<&str> =
        format.split("$context.").skip(1).filter_map(|v| v.split('"').next()).collect();
    let expected = [
        "httpMethod",
        "identity.sourceIp",
        "integrationErrorMessage",
        "path",
        "requestId",
        "requestTimeEpoch",
        "responseLatency",
        "responseLength",
        "status",
    ];
    assert_eq!(variables, expected.into());
}

#[test]
fn silence_is_an_alarm_and_alarms_have_a_topic_of_their_own() {
    let template = read(TEMPLATE).unwrap();
    let silence = text(at(&template, "Resources.HeartbeatAlarm.Properties.TreatMissingData"));
    assert_eq!(silence.as_deref(), Some("breaching"));
    let alarms = resources(&template, "AWS::CloudWatch::Alarm");
    assert!(alarms.len() >= 9);
    for (name, alarm) in alarms {
        for actions in ["AlarmActions", "OKActions"] {
            assert_eq!(texts(at(alarm, &format!("Properties.{actions}"))), ["WatchdogTopic"], "{name}");
        }
    }
}

#[test]
fn the_queue_lets_a_successor_start_and_a_bad_message_reach_the_dead_letters() {
    let template = read(TEMPLATE).unwrap();
    assert_eq!(text(at(&template, "Parameters.MaxWatchers.MinValue")).as_deref(), Some("2"));
    let queue = at(&template, "Resources.WorkQueue.Properties");
    let number = |node, path| -> i64 { bare(at(node, path)).as_integer().unwrap() };
    let hidden = number(queue, "VisibilityTimeout");
    assert_eq!(
        text(at(&template, "Resources.WatchFunction.Properties.Timeout")).as_deref(),
        Some("WatchTimeoutS")
    );
    assert!(hidden > number(&template, "Parameters.WatchTimeoutS.MaxValue"), "a run is not delivered twice");
    let turns = number(queue, "RedrivePolicy.maxReceiveCount");
    assert!(number(queue, "MessageRetentionPeriod") > turns * hidden, "it would expire on its way");
    let mapping = at(&template, "Resources.WorkMapping.Properties");
    assert_eq!(text(at(mapping, "BatchSize")).as_deref(), Some("1"));
    assert_eq!(texts(at(mapping, "FunctionResponseTypes")), ["ReportBatchItemFailures"]);
}

#[test]
fn it_fits_into_a_request() {
    assert!(TEMPLATE.len() <= 51_200, "{} bytes: CloudFormation takes no more in a request", TEMPLATE.len());
}
