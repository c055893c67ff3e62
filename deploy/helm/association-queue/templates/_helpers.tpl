{{/*
Names and labels. Most templates take a dict: root (the context of the chart) and role (worker, gateway, …), which objects of
the whole release leave out.
*/}}

{{- define "association-queue.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" }}
{{- end }}

{{/* at most 50 characters, so that the name of a role fits behind it */}}
{{- define "association-queue.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- $name := include "association-queue.name" . }}
{{- ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "association-queue.roleName" -}}
{{- printf "%s-%s" (include "association-queue.fullname" .root) .role }}
{{- end }}

{{- define "association-queue.selector" -}}
app.kubernetes.io/name: {{ include "association-queue.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .role }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end }}

{{- define "association-queue.labels" -}}
{{ include "association-queue.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "association-queue.serviceAccountName" -}}
{{- $created := ternary (include "association-queue.fullname" .) "default" .Values.serviceAccount.create }}
{{- default $created .Values.serviceAccount.name }}
{{- end }}

{{- define "association-queue.image" -}}
{{- with .Values.image }}
{{- if .digest }}{{ .repository }}@{{ .digest }}
{{- else }}{{ .repository }}:{{ default $.Chart.AppVersion .tag }}
{{- end }}
{{- end }}
{{- end }}

{{- define "association-queue.simulatorUrl" -}}
http://{{ include "association-queue.roleName" (dict "root" . "role" "simulator") }}:8787
{{- end }}
