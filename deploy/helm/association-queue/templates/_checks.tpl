{{/* Combinations that make no sense. values.schema.json refuses most of them; these sentences say what to do. */}}
{{- define "association-queue.checks" -}}
{{- if and .Values.worker.keda.enabled .Values.worker.hpa.enabled }}
{{- fail "worker.keda.enabled and worker.hpa.enabled are both true: two autoscalers would work against each other; enable one" }}
{{- end }}
{{- if .Values.worker.keda.enabled }}
{{- with .Values.worker.keda }}
{{- if gt (int .minReplicas) (int .maxReplicas) }}
{{- fail "worker.keda.minReplicas is larger than worker.keda.maxReplicas" }}
{{- end }}
{{- if and (eq .source "gateway") (not $.Values.gateway.enabled) }}
{{- fail "worker.keda.source is gateway, and gateway.enabled is false: enable the gateway, or read Prometheus with worker.keda.source=prometheus" }}
{{- end }}
{{- if and (eq .source "prometheus") (not .prometheus.serverAddress) }}
{{- fail "worker.keda.source is prometheus, and worker.keda.prometheus.serverAddress is empty: give its address, such as http://prometheus-operated.monitoring.svc:9090" }}
{{- end }}
{{- end }}
{{- end }}
{{- range $role := list "worker" "gateway" }}
{{- with (index $.Values $role).hpa }}
{{- if and .enabled (gt (int .minReplicas) (int .maxReplicas)) }}
{{- fail (printf "%s.hpa.minReplicas is larger than %s.hpa.maxReplicas" $role $role) }}
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.gateway }}
{{- if and .hpa.enabled (not ((.resources.requests | default dict).cpu)) }}
{{- fail "gateway.hpa.enabled is true, and gateway.resources.requests.cpu is not set: the use of CPU is measured in percent of it" }}
{{- end }}
{{- end }}
{{- end }}
