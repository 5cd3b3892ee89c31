//! In which order, in which pages and how far a chain serves its records.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::reader::{DAY, Reader, Reply, first_link, get_raw};

const PATH: &str = "v1.0/auditLogs/signIns";

/// A day of interactive sign-ins behind some other tables.
fn day(per_day: u32, tables: &str) -> String {
    format!(
        "[limits]\nrequests_per_10s = 0\n[[volume]]\nstream = 'interactiveUser'\nper_day = \
         {per_day}\n{tables}"
    )
}

/// The pages of a chain, as times and ids, up to its end or to `most` pages.
async fn pages(reader: &Reader, most: usize) -> Vec<Vec<(String, String)>> {
    let mut reply = reader.first(PATH, DAY).await;
    let mut pages = Vec::new();
    loop {
        assert_eq!(reply.status, 200, "{}", reply.body);
        pages.push(records(&reply));
        match reply.body["@odata.nextLink"].as_str() {
            Some(next) if pages.len() < most => reply = reader.try_get(next).await.unwrap(),
            _ => return pages,
        }
    }
}

fn records(reply: &Reply) -> Vec<(String, String)> {
    let member = |record: &Value, name: &str| record[name].as_str().unwrap().to_owned();
    let value = reply.body["value"].as_array().unwrap();
    value.iter().map(|record| (member(record, "createdDateTime"), member(record, "id"))).collect()
}

fn sizes(pages: &[Vec<(String, String)>]) -> Vec<usize> {
    pages.iter().map(Vec::len).collect()
}

#[tokio::test]
async fn a_chain_comes_in_the_order_of_the_scenario_and_holds_each_record_once() {
    let mut orders = BTreeSet::new();
    for order in ["newest", "oldest", "arrival", "id", "random", "changing"] {
        let text = format!(
            "late_by_hours = {{ share = 0.1, from = 1, up_to = 2 }}\n[[paging]]\norder = '{order}'"
        );
        let reader = Reader::of(&day(180, &text)).await;
        let visible = reader.simulator.visible().len();
        let read = pages(&reader, 100).await.concat();
        let distinct: BTreeSet<_> = read.iter().collect();
        assert_eq!((read.len(), distinct.len()), (visible, visible), "{order}");
        assert_eq!(reader.simulator.served().len(), visible, "{order}");
        orders.insert(read);
    }
    assert_eq!(orders.len(), 6, "no two orders are alike");
}

#[tokio::test]
async fn a_random_order_is_another_one_in_each_chain_and_the_same_for_the_same_seed() {
    let scenario = day(120, "[[paging]]\nstream = 'interactiveUser'\norder = 'random'");
    let first = Reader::of(&scenario).await;
    let second = Reader::of(&scenario).await;
    let chains = [pages(&first, 9).await, pages(&first, 9).await];
    assert_ne!(chains[0], chains[1]);
    assert_eq!(chains, [pages(&second, 9).await, pages(&second, 9).await]);
}

#[tokio::test]
async fn an_order_of_another_stream_leaves_a_chain_alone() {
    let reader =
        Reader::of(&day(120, "[[paging]]\nstream = 'directoryAudits'\norder = 'oldest'")).await;
    let read = pages(&reader, 9).await.concat();
    assert!(
        read.is_sorted_by(|one, other| one.0[..19] >= other.0[..19]),
        "newest first, as always"
    );
}

#[tokio::test]
async fn pages_have_the_sizes_of_the_scenario_up_to_top() {
    let fixed = Reader::of(&day(100, "[[paging]]\nsizes = [30]")).await;
    assert_eq!(sizes(&pages(&fixed, 99).await), [30, 30, 30, 10]);
    let large = Reader::of(&day(100, "[[paging]]\nsizes = [5000]")).await;
    assert_eq!(sizes(&pages(&large, 99).await), [50, 50], "$top is 50");
    let mixed =
        sizes(&pages(&Reader::of(&day(200, "[[paging]]\nsizes = [1, 7, 50]")).await, 999).await);
    assert_eq!(mixed.iter().sum::<usize>(), 200);
    assert!([1, 7, 50].iter().all(|size| mixed.contains(size)), "{mixed:?}");
}

#[tokio::test]
async fn top_is_honoured_however_small() {
    let reader = Reader::of(&day(20, "[[paging]]\norder = 'random'")).await;
    for top in [1, 10, 100] {
        let path = first_link(PATH, DAY).replace("%24top=50", &format!("%24top={top}"));
        assert_eq!(records(&reader.get(&path).await).len(), top.min(20), "{top}");
    }
}

#[tokio::test]
async fn pages_end_where_times_change() {
    let volume = "fraction_digits = 0\nhours = [9, 10]\n[[paging]]\n";
    let reader = Reader::of(&day(2000, &format!("{volume}boundary = 'equal_times'"))).await;
    for page in pages(&reader, 9999).await {
        assert!(page.iter().all(|(time, _)| *time == page[0].0), "{page:?}");
    }
    let reader = Reader::of(&day(2000, &format!("{volume}boundary = 'second'"))).await;
    let read = pages(&reader, 9999).await;
    assert!(read.windows(2).all(|pair| pair[0].last().unwrap().0 != pair[1][0].0));
    assert!(read.iter().any(|page| page.len() < 50 && page.len() > 40));
    let reader = Reader::of(&day(100, "[[paging]]\nboundary = 'hour'")).await;
    for page in pages(&reader, 9999).await {
        assert!(page.iter().all(|(time, _)| time[..13] == page[0].0[..13]), "{page:?}");
    }
}

#[tokio::test]
async fn fifty_empty_pages_stand_at_the_start_in_the_middle_or_at_the_end() {
    for (at, first_empty) in [("start", 0), ("middle", 2), ("end", 4)] {
        let text = format!("[[paging]]\nempty = {{ pages = 50, at = '{at}' }}");
        let read = sizes(&pages(&Reader::of(&day(200, &text)).await, 99).await);
        let empty: Vec<usize> = (0..read.len()).filter(|page| read[*page] == 0).collect();
        assert_eq!(empty, (first_empty..first_empty + 50).collect::<Vec<_>>(), "{at}");
        assert_eq!(read.iter().sum::<usize>(), 200, "{at}");
    }
}

#[tokio::test]
async fn a_faulty_page_of_a_laid_out_chain_loses_nothing() {
    for kind in
        ["empty_page", "short_page", "oversized_page", "cut", "refused_link", "throttle_bare"]
    {
        let text =
            format!("[[paging]]\norder = 'changing'\n[[faults.script]]\nkind = '{kind}'\nnth = 2");
        let reader = Reader::of(&day(170, &text)).await;
        let mut url = format!("{}{}", reader.simulator.url(), first_link(PATH, DAY));
        let mut read = Vec::new();
        loop {
            let Ok(reply) = reader.try_get(&url).await else { continue };
            if reply.status == 200 {
                read.extend(records(&reply));
                let Some(next) = reply.body["@odata.nextLink"].as_str() else { break };
                url = next.to_owned();
            }
        }
        let distinct: BTreeSet<_> = read.iter().collect();
        assert_eq!((read.len(), distinct.len()), (170, 170), "{kind}");
        assert_eq!(reader.simulator.counts().faults, 1, "{kind}");
    }
}

#[tokio::test]
async fn a_record_that_changed_comes_in_both_versions_in_one_chain_only() {
    let text = "changed = { share = 0.1, after_minutes = 0 }\n[[paging]]\nboth_versions = 1";
    let reader = Reader::of(&day(200, text)).await;
    let twice = pages(&reader, 99).await;
    let ids: BTreeSet<&String> = twice.iter().flatten().map(|(_, id)| id).collect();
    let changed = twice.iter().flatten().count() - ids.len();
    assert_eq!(ids.len(), 200);
    assert!(changed > 5, "{changed}");
    let last: Vec<&String> = twice.iter().flatten().map(|(_, id)| id).rev().take(changed).collect();
    assert!(twice[0].iter().filter(|(_, id)| last.contains(&id)).count() == changed);
    assert_eq!(
        pages(&reader, 99).await.concat().len(),
        200,
        "the next chain has the new versions alone"
    );
}

#[tokio::test]
async fn a_short_read_looks_complete() {
    let text = "[[faults.chain]]\nkind = 'ends_early'\nafter = 2\nchains = 1";
    let reader = Reader::of(&day(200, text)).await;
    assert_eq!(sizes(&pages(&reader, 99).await), [50, 50]);
    assert_eq!(sizes(&pages(&reader, 99).await), [50; 4]);
    assert_eq!(reader.simulator.counts().faults, 1);
}

#[tokio::test]
async fn chains_of_other_days_streams_and_lengths_are_spared() {
    for condition in [
        "days = [-3, -2]",
        "days = [0, 9]",
        "stream = 'managedIdentity'",
        "longer_than_minutes = 1440",
        "share = 0.0",
        "after = 4",
    ] {
        let text = format!("[[faults.chain]]\nkind = 'ends_early'\n{condition}");
        let reader = Reader::of(&day(200, &text)).await;
        assert_eq!(sizes(&pages(&reader, 99).await), [50; 4], "{condition}");
    }
    for condition in ["days = [-1, -1]", "stream = 'interactiveUser'", "longer_than_minutes = 1439"]
    {
        let text = format!("[[faults.chain]]\nkind = 'ends_early'\n{condition}");
        let reader = Reader::of(&day(200, &text)).await;
        assert_eq!(sizes(&pages(&reader, 99).await), [50], "{condition}");
    }
    let half = Reader::of(&day(200, "[[faults.chain]]\nkind = 'ends_early'\nshare = 0.5")).await;
    let mut short = 0;
    for _ in 0..40 {
        short += usize::from(pages(&half, 99).await.len() == 1);
    }
    assert!((8..32).contains(&short), "{short} of 40");
}

#[tokio::test]
async fn a_link_that_dies_is_refused_always_or_once() {
    for (times, works_again) in [("", false), ("times = 1", true)] {
        let text = format!("[[faults.chain]]\nkind = 'dies'\nafter = 2\n{times}");
        let reader = Reader::of(&day(200, &text)).await;
        let first = reader.first(PATH, DAY).await;
        let second = reader.try_get(first.body["@odata.nextLink"].as_str().unwrap()).await.unwrap();
        let fatal = second.body["@odata.nextLink"].as_str().unwrap();
        let refused = reader.try_get(fatal).await.unwrap();
        assert_eq!(refused.error(), (400, "", "Invalid Skip Token"));
        assert_eq!(reader.try_get(fatal).await.unwrap().status == 200, works_again);
    }
}

#[tokio::test]
async fn a_link_repeats_and_an_endless_chain_does_not() {
    let reader = Reader::of(&day(200, "[[faults.chain]]\nkind = 'repeats'\nafter = 2")).await;
    let first = reader.first(PATH, DAY).await;
    let link = first.body["@odata.nextLink"].as_str().unwrap();
    let second = reader.try_get(link).await.unwrap();
    assert_eq!(second.body["@odata.nextLink"], link);

    let reader = Reader::of(&day(200, "[[faults.chain]]\nkind = 'endless'\nafter = 2")).await;
    let read = sizes(&pages(&reader, 300).await);
    assert_eq!(&read[..3], [50, 50, 0]);
    assert!(read.len() == 300 && read[2..].iter().all(|size| *size == 0));
    let requests = reader.simulator.requests();
    let links: BTreeSet<&String> = requests.iter().map(|line| &line.path_and_query).collect();
    assert_eq!(links.len(), requests.len(), "no link twice");
}

#[tokio::test]
async fn raw_characters_of_a_link_must_come_back_byte_for_byte() {
    let reader = Reader::of(&day(120, "[[paging]]\nraw_links = true")).await;
    let first = reader.first(PATH, DAY).await;
    let next = first.body["@odata.nextLink"].as_str().unwrap();
    let path = next.strip_prefix(reader.simulator.url()).unwrap();
    assert!(path.ends_with("&$marker='a'+%2b[%27]%5b0%5D"), "{path}");
    assert!(get_raw(&reader, path).await.starts_with(b"HTTP/1.1 200"));
    for (raw, altered) in
        [("'a'", "%27a%27"), ("%27", "'"), ("+%2b", "%20%2b"), ("%2b", "%2B"), ("[", "%5b")]
    {
        let altered = path.replace(raw, altered);
        assert_ne!(altered, path);
        assert!(get_raw(&reader, &altered).await.starts_with(b"HTTP/1.1 400"), "{altered}");
    }
}

#[tokio::test]
async fn another_writer_changes_bytes_and_no_content() {
    let reader = Reader::of(&day(50, "[writer]\nfrom_day = 1")).await;
    let path = first_link(PATH, DAY);
    let plain = get_raw(&reader, &path).await;
    reader.simulator.set_now("2026-11-24T00:00:00Z".parse().unwrap());
    let mut reader = reader;
    reader.renew().await;
    let other = get_raw(&reader, &path).await;
    let text = |answer: &[u8]| String::from_utf8_lossy(answer).into_owned();
    assert!(!text(&plain).contains("\"id\" : ") && text(&other).contains("\"id\" : "));
    let both = [reader.first(PATH, DAY).await.body, {
        reader.simulator.set_now("2026-11-23T01:15:00Z".parse().unwrap());
        reader.first(PATH, DAY).await.body
    }];
    let content = |body: &Value| -> Vec<String> {
        let value = body["value"].as_array().unwrap();
        value.iter().map(|record| canonical(record).to_string()).collect()
    };
    assert_eq!(content(&both[0]), content(&both[1]));
    assert_eq!(reader.simulator.served().len(), 50, "the same versions");
}

/// A value whose whole numbers have one form.
fn canonical(value: &Value) -> Value {
    match value {
        Value::Number(number) => format!("{:?}", number.as_f64()).into(),
        Value::Array(items) => items.iter().map(canonical).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, member)| (name.clone(), canonical(member))).collect()
        }
        other => other.clone(),
    }
}

#[tokio::test]
async fn another_writer_makes_its_share_of_the_answers() {
    let reader = Reader::of(&day(1, "[writer]\nshare = 0.5")).await;
    let mut rewritten = 0;
    for _ in 0..60 {
        let answer = get_raw(&reader, &first_link(PATH, DAY)).await;
        rewritten += usize::from(String::from_utf8_lossy(&answer).contains("\"id\" : "));
    }
    assert!((15..45).contains(&rewritten), "{rewritten} of 60");
}

#[tokio::test]
async fn retention_rolls_to_the_minute() {
    let text = "from_day = -40\nshape = 'even'\n[tenant]\nretention_days = 6.8";
    let reader = Reader::of(&day(24, text)).await;
    let oldest =
        |reader: &Reader| reader.simulator.visible().iter().map(|served| served.time).min();
    let before = oldest(&reader).unwrap();
    let kept = reader.simulator.now() - before;
    assert!((160..=163).contains(&kept.num_hours()), "{kept}");
    reader.simulator.set_now("2026-11-24T01:15:00Z".parse().unwrap());
    assert!(oldest(&reader).unwrap() - before >= chrono::TimeDelta::hours(20));
}

#[tokio::test]
async fn records_come_days_late_by_the_simulators_clock() {
    let reader =
        Reader::of(&day(200, "late_by_hours = { share = 0.5, from = 24, up_to = 96 }")).await;
    let mut seen = Vec::new();
    for day in 23..=27 {
        reader.simulator.set_now(format!("2026-11-{day}T01:15:00Z").parse().unwrap());
        seen.push(reader.simulator.visible().len());
    }
    assert!((80..=120).contains(&seen[0]), "{seen:?}");
    assert!(seen.windows(2).all(|pair| pair[0] < pair[1]), "{seen:?}");
    assert_eq!(seen[4], 200);
}

#[tokio::test]
async fn a_quiet_tenant_has_a_record_in_ten_days() {
    let reader = Reader::of(&day(1, "from_day = -29\nto_day = 0\nevery_days = 10")).await;
    assert_eq!(reader.simulator.visible().len(), 3);
}
