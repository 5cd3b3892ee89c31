//! Record bodies, made on demand from the timeline: the same entry always gives the same bytes.

use crate::fault::Alteration;
use crate::scenario::Log;
use crate::stream::Stream;
use crate::tenant::audit::AuditTemplate;
use crate::tenant::directory::Directory;
use crate::tenant::odd;
use crate::tenant::provisioning::ProvisioningTemplate;
use crate::tenant::record_form::RecordForm;
use crate::tenant::sign_in::SignInTemplates;
use crate::tenant::stories::Plot;
use crate::tenant::timeline::{Reference, Timeline};

/// Everything needed to write any record.
#[derive(Debug)]
pub(crate) struct Records {
    pub(crate) timeline: Timeline,
    directory: Directory,
    sign_ins: SignInTemplates,
    audits: AuditTemplate,
    provisioning: ProvisioningTemplate,
}

impl Records {
    pub(crate) fn new(timeline: Timeline, directory: Directory) -> Self {
        Self {
            timeline,
            directory,
            sign_ins: SignInTemplates::new(),
            audits: AuditTemplate::new(),
            provisioning: ProvisioningTemplate::new(),
        }
    }

    /// Appends the body of one record.
    pub(crate) fn write(
        &self,
        out: &mut Vec<u8>,
        of: Reference,
        form: RecordForm,
        alteration: Alteration,
    ) {
        let start = out.len();
        let entry = self.timeline.entry(of);
        let odd = self.timeline.odd(entry);
        let entry = &entry.at(self.timeline.time(of));
        let plot = self.timeline.planted(entry).map(|planted| &planted.plot);
        match of.stream.log() {
            Log::SignIns => {
                let plot = plot
                    .and_then(|plot| if let Plot::SignIn(plot) = plot { Some(plot) } else { None });
                self.sign_ins.write(out, entry, of.stream, plot, form, &self.directory);
            }
            Log::DirectoryAudits => {
                let plot = plot
                    .and_then(|plot| if let Plot::Audit(plot) = plot { Some(plot) } else { None });
                self.audits.write(out, entry, plot, form, &self.directory);
            }
            Log::Provisioning => self.provisioning.write(out, entry, form, &self.directory),
        }
        match alteration {
            Alteration::None => {}
            Alteration::UnknownField => {
                let member = br#""passwordlessScore2027":{"value":0.5,"notes":["new",null]},"#;
                out.splice(start + 1..=start, member.iter().copied());
            }
            Alteration::TypeFlip => flip(out, start, of.stream),
        }
        match odd {
            Some(odd) => odd.twist(out, start, of.stream),
            None => odd::fill_up(out, start, self.timeline.smallest_size(entry)),
        }
    }

    /// The body as a string; what is no UTF-8 in it is replaced.
    pub(crate) fn text(&self, of: Reference, form: RecordForm, alteration: Alteration) -> String {
        let mut out = Vec::new();
        self.write(&mut out, of, form, alteration);
        String::from_utf8_lossy(&out).into_owned()
    }

    /// The `id` of a record.
    pub(crate) fn id(json: &str) -> &str {
        json.split("\"id\":\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default()
    }
}

/// Puts another type where an object without inner objects stands: text, or the collection as which
/// Microsoft once documented the service principal of a provisioning record.
fn flip(out: &mut Vec<u8>, start: usize, stream: Stream) {
    let (key, text, close): (&[u8], &[u8], &[u8]) = match stream.log() {
        Log::SignIns => (b"\"status\":", b"\"Success\"", b",\"deviceDetail\""),
        Log::DirectoryAudits => {
            (b"\"initiatedBy\":", b"\"Microsoft Graph\"", b",\"targetResources\"")
        }
        Log::Provisioning => (b"\"servicePrincipal\":", b"[{\"id\":null}]", b",\"sourceSystem\""),
    };
    let Some(object) = find(out, key, start).map(|found| found + key.len()) else { return };
    if let Some(end) = find(out, close, object) {
        out.splice(object..end, text.iter().copied());
    }
}

/// Place of a part in the bytes from `from` on.
fn find(bytes: &[u8], part: &[u8], from: usize) -> Option<usize> {
    let found = bytes[from..].windows(part.len()).position(|window| window == part)?;
    Some(from + found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;
    use crate::stream::ApiVersion;
    use crate::tenant::timeline::Selection;

    fn each_record(check: impl Fn(Stream, RecordForm, &str)) {
        let scenario = Scenario::default_tenant().unwrap();
        let now = "2026-11-23T01:15:00Z".parse().unwrap();
        let records = Records::new(Timeline::build(&scenario, now), Directory::new(&scenario));
        for (version, masked) in [
            (ApiVersion::V1, false),
            (ApiVersion::V1, true),
            (ApiVersion::Beta, false),
            (ApiVersion::Beta, true),
        ] {
            for stream in Stream::ALL {
                let selection = Selection {
                    streams: &[stream],
                    from: i64::MIN,
                    to: i64::MAX,
                    after: None,
                    descending: true,
                    now: i64::MAX / 2,
                    oldest: i64::MIN,
                    limit: 300,
                };
                for reference in records.timeline.select(&selection) {
                    let form = RecordForm { version, masked };
                    for alteration in
                        [Alteration::None, Alteration::UnknownField, Alteration::TypeFlip]
                    {
                        check(stream, form, &records.text(reference, form, alteration));
                    }
                }
            }
        }
    }

    #[test]
    fn every_record_is_json_with_id_and_time_and_no_unfilled_place() {
        each_record(|stream, form, json| {
            let value: serde_json::Value = serde_json::from_str(json).unwrap_or_else(|error| {
                panic!("{error}: {json}");
            });
            let time = stream.log().time_field();
            assert!(value["id"].is_string() && value[time].is_string(), "{json}");
            assert_eq!(value["id"].as_str(), Some(Records::id(json)));
            assert!(!json.contains("{{") && !json.contains("}}\""), "{form:?} {json}");
        });
    }

    #[test]
    fn members_after_the_sentinel_are_hidden_without_the_prefer_header() {
        each_record(|_, form, json| {
            if form.masked {
                assert!(!json.contains("reportOnly") && !json.contains("refreshToken\""), "{json}");
                assert!(!json.contains("insiderRisk") && !json.contains("nativeAuth"), "{json}");
            }
        });
    }
}
