{{/*
The environment of a role. files/environment.json is generated from the program's list of settings: what each role reads, which
of it is secret, and which secrets the program reads from files.
*/}}

{{/* Helm has all numbers as floating point, which it would write as 5e+06. */}}
{{- define "association-queue.text" -}}
{{- if kindIs "float64" . }}{{ int64 . }}{{ else }}{{ . }}{{ end }}
{{- end }}

{{/* @returns JSON: the settings of a role by their names */}}
{{- define "association-queue.settings" -}}
{{- $known := .root.Files.Get "files/environment.json" | fromJson }}
{{- $given := merge (deepCopy (index .root.Values .role).settings) .root.Values.settings }}
{{- $settings := dict }}
{{- range $name := (index $known.roles .role).settings }}
{{- if hasKey $given $name }}
{{- $_ := set $settings $name (include "association-queue.text" (index $given $name)) }}
{{- end }}
{{- end }}
{{- if (index .root.Values.secrets "REDIS_URL" | default dict).name }}
{{- $_ := unset $settings "REDIS_URL" }}
{{- end }}
{{- if and .root.Values.simulator.enabled (has "HUBSPOT_BASE_URL" (index $known.roles .role).settings) }}
{{- if hasKey $settings "HUBSPOT_BASE_URL" }}
{{- fail "simulator.enabled and the setting HUBSPOT_BASE_URL are both set: workers call either the simulator or that address" }}
{{- end }}
{{- $_ := set $settings "HUBSPOT_BASE_URL" (include "association-queue.simulatorUrl" .root) }}
{{- end }}
{{- toJson $settings }}
{{- end }}

{{/* @returns JSON: setting → { name, key, file } of the secrets that a role reads; file is its name in the mounted folder */}}
{{- define "association-queue.secrets" -}}
{{- $known := .root.Files.Get "files/environment.json" | fromJson }}
{{- $secrets := dict }}
{{- range $name := (index $known.roles .role).secrets }}
{{- $from := index $.root.Values.secrets $name | default dict }}
{{- if and $from.name (not (and $.root.Values.simulator.enabled (eq $name "HUBSPOT_ACCESS_TOKEN"))) }}
{{- $_ := set $secrets $name (dict "name" $from.name "key" (default $name $from.key) "file" (has $name $known.files)) }}
{{- end }}
{{- end }}
{{- toJson $secrets }}
{{- end }}

{{- define "association-queue.secretsFolder" -}}/run/secrets/association-queue{{- end }}

{{/* The list `env`. own: what the chart sets for this role; extraEnv: what the caller adds */}}
{{- define "association-queue.env" -}}
{{- $known := .root.Files.Get "files/environment.json" | fromJson }}
{{- range $name, $value := .own }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- range $name, $value := include "association-queue.settings" . | fromJson }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- range $name, $from := include "association-queue.secrets" . | fromJson }}
{{- if $from.file }}
- name: {{ ternary $name (printf "%s_FILE" $name) (hasSuffix "_FILE" $name) }}
  value: {{ include "association-queue.secretsFolder" $ }}/{{ $name }}
{{- else }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      name: {{ $from.name }}
      key: {{ $from.key }}
{{- end }}
{{- end }}
{{- if and .root.Values.simulator.enabled (has "HUBSPOT_ACCESS_TOKEN" (index $known.roles .role).secrets) }}
- name: HUBSPOT_ACCESS_TOKEN
  value: simulator # takes any token
{{- end }}
{{- $secrets := include "association-queue.secrets" . | fromJson }}
{{- range .extraEnv }}
{{- if or (has .name $known.plain) (hasKey $secrets .name) (hasKey $secrets (trimSuffix "_FILE" .name)) }}
{{- fail (printf "extraEnv has %s, which the chart sets: give it in settings, or the name of its Secret in secrets" .name) }}
{{- end }}
{{- end }}
{{- with .extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* @returns JSON: the sources of the volume with the secrets that the program reads from files */}}
{{- define "association-queue.secretFiles" -}}
{{- $sources := list }}
{{- range $name, $from := include "association-queue.secrets" . | fromJson }}
{{- if $from.file }}
{{- $item := dict "key" $from.key "path" $name }}
{{- $sources = append $sources (dict "secret" (dict "name" $from.name "items" (list $item))) }}
{{- end }}
{{- end }}
{{- toJson $sources }}
{{- end }}

{{/* Seconds that the program may take to end after SIGTERM, and ten more. */}}
{{- define "association-queue.grace" -}}
{{- $known := .root.Files.Get "files/environment.json" | fromJson }}
{{- $settings := include "association-queue.settings" . | fromJson }}
{{- $ms := default $known.shutdownTimeoutMs $settings.SHUTDOWN_TIMEOUT_MS | int64 }}
{{- add (div (add $ms 999) 1000) 10 }}
{{- end }}
