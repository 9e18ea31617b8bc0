// What people read when an alert fires or ends: templates for Grafana's messages, one form per channel. Each says what,
// where, since when, how much, the limit, and where to look next. Go templates; in them `$` is a variable of their own.
// An alert about an alert (it has a label fingerprint) is not to be acknowledged itself: its summary names the other.

/** Labels that stand elsewhere in the message, or say nothing to people. */
const HIDDEN_LABELS = ["alertname", "grafana_folder", "severity", "fingerprint"];

/** The labels that say where. */
const PLACE = `(.Labels.Remove (stringSlice ${HIDDEN_LABELS.map((name) => `"${name}"`).join(" ")}))`;

const where = `{{ define "tickwatch.where" -}}
{{ range $i, $label := ${PLACE}.SortedPairs -}}
{{ if $i }}, {{ end }}{{ $label.Name }} {{ $label.Value }}
{{- end }}
{{- end }}`;

/** Subject of a mail, title of a card: the state, how bad, which rule, and where if there is one alert only. */
const title = `{{ define "tickwatch.title" -}}
{{ if .Alerts.Firing }}FIRING{{ else }}RESOLVED{{ end }}
{{- if gt (len .Alerts) 1 }} ({{ len .Alerts }}){{ end }}
{{- with .CommonLabels.severity }} {{ . }}{{ end }}
{{- with .CommonLabels.alertname }} {{ . }}{{ end }}
{{- if eq (len .Alerts) 1 }}{{ range .Alerts }}{{ if ${PLACE} }}: {{ template "tickwatch.where" . }}{{ end }}{{ end }}{{ end }}
{{- end }}`;

const TIME = '"2006-01-02 15:04:05 UTC"';

/** The facts of one alert, a line each; \`.Annotations\` are those of rules_file.ts. */
const facts = `{{ define "tickwatch.facts" -}}
{{ if ${PLACE} }}Where: {{ template "tickwatch.where" . }}
{{ end }}Since: {{ .StartsAt.UTC.Format ${TIME} }}
{{- if eq .Status "resolved" }}
Until: {{ .EndsAt.UTC.Format ${TIME} }}
{{- else }}
{{- with .Annotations.value }}
Value: {{ . }}{{ end }}
{{- with .Annotations.limit }}
Limit: {{ . }}{{ end }}
{{- end }}
{{- end }}`;

const text = `{{ define "tickwatch.text" -}}
{{ range $i, $alert := .Alerts -}}
{{ if $i }}

{{ end -}}
{{ if eq .Status "firing" }}{{ .Annotations.summary }}{{ else }}{{ .Labels.alertname }} is over{{ end }}
{{ template "tickwatch.facts" . }}
{{- with .DashboardURL }}
Dashboard: {{ or $alert.PanelURL . }}{{ end }}
{{- with .Annotations.runbook_url }}
Runbook: {{ . }}{{ end }}
{{- if and (eq .Status "firing") (not .Labels.fingerprint) }}
Acknowledge: tickwatch alerts ack {{ .Fingerprint }}{{ end }}
{{- end }}
{{- end }}`;

const mark = `{{ define "tickwatch.mark" -}}
{{ if eq .Status "resolved" }}✅{{ else if eq .Labels.severity "critical" }}🔴{{ else if eq .Labels.severity "warning" }}🟠{{ else }}🔵{{ end }}
{{- end }}`;

/** HTML as Telegram takes it; what comes from data is escaped, or Telegram would refuse the whole message. */
const telegram = `{{ define "tickwatch.telegram" -}}
{{ range $i, $alert := .Alerts -}}
{{ if $i }}

{{ end -}}
{{ template "tickwatch.mark" . }} <b>{{ if eq .Status "firing" }}{{ html .Annotations.summary }}{{ else }}{{ html .Labels.alertname }} is over{{ end }}</b>
{{ if eq .Status "firing" }}<i>{{ html .Labels.severity }} · {{ html .Labels.alertname }}</i>
{{ end -}}
{{ template "tickwatch.telegram.facts" . }}
{{- with .DashboardURL }}
<a href="{{ html (or $alert.PanelURL .) }}">Dashboard</a>{{ end }}
{{- with .Annotations.runbook_url }}
Runbook: {{ html . }}{{ end }}
{{- if and (eq .Status "firing") (not .Labels.fingerprint) }}
<code>tickwatch alerts ack {{ .Fingerprint }}</code>{{ end }}
{{- end }}
{{- end }}

{{ define "tickwatch.telegram.facts" -}}
{{ range $label := ${PLACE}.SortedPairs -}}
{{ html $label.Name }}: {{ html $label.Value }}
{{ end -}}
Since: {{ .StartsAt.UTC.Format ${TIME} }}
{{- if eq .Status "resolved" }}
Until: {{ .EndsAt.UTC.Format ${TIME} }}
{{- else }}
{{- with .Annotations.value }}
Value: {{ html . }}{{ end }}
{{- with .Annotations.limit }}
Limit: {{ html . }}{{ end }}
{{- end }}
{{- end }}`;

/** Markdown; an address alone is a link there. */
const discord = `{{ define "tickwatch.discord" -}}
{{ range $i, $alert := .Alerts -}}
{{ if $i }}

{{ end -}}
{{ template "tickwatch.mark" . }} **{{ if eq .Status "firing" }}{{ .Annotations.summary }}{{ else }}{{ .Labels.alertname }} is over{{ end }}**
{{ template "tickwatch.facts" . }}
{{- with .DashboardURL }}
[Dashboard]({{ or $alert.PanelURL . }}){{ end }}
{{- with .Annotations.runbook_url }}
Runbook: {{ . }}{{ end }}
{{- if and (eq .Status "firing") (not .Labels.fingerprint) }}
\`tickwatch alerts ack {{ .Fingerprint }}\`{{ end }}
{{- end }}
{{- end }}`;

/** Slack's own marks; & and < begin something there. */
const slack = `{{ define "tickwatch.slack.safe" }}{{ . | reReplaceAll "&" "&amp;" | reReplaceAll "<" "&lt;" | reReplaceAll ">" "&gt;" }}{{ end }}

{{ define "tickwatch.slack" -}}
{{ range $i, $alert := .Alerts -}}
{{ if $i }}

{{ end -}}
{{ template "tickwatch.mark" . }} *{{ if eq .Status "firing" }}{{ template "tickwatch.slack.safe" .Annotations.summary }}{{ else }}{{ .Labels.alertname }} is over{{ end }}*
{{ range $label := ${PLACE}.SortedPairs -}}
{{ $label.Name }}: {{ template "tickwatch.slack.safe" $label.Value }}
{{ end -}}
Since: {{ .StartsAt.UTC.Format ${TIME} }}
{{- if eq .Status "resolved" }}
Until: {{ .EndsAt.UTC.Format ${TIME} }}
{{- else }}
{{- with .Annotations.value }}
Value: {{ . }}{{ end }}
{{- with .Annotations.limit }}
Limit: {{ . }}{{ end }}
{{- end }}
{{- with .DashboardURL }}
<{{ or $alert.PanelURL . }}|Dashboard>{{ end }}
{{- with .Annotations.runbook_url }}
Runbook: {{ . }}{{ end }}
{{- if and (eq .Status "firing") (not .Labels.fingerprint) }}
\`tickwatch alerts ack {{ .Fingerprint }}\`{{ end }}
{{- end }}
{{- end }}`;

/** One group of templates, in a file of its own. */
export function templatesFile(): object {
  const parts = [where, title, facts, mark, text, telegram, discord, slack];
  return {
    apiVersion: 1,
    templates: [{ orgId: 1, name: "tickwatch", template: parts.join("\n\n") }],
  };
}
