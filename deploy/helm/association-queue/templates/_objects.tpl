{{/* Objects that several roles have. */}}

{{- define "association-queue.podDisruptionBudget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "association-queue.roleName" . }}
  labels:
    {{- include "association-queue.labels" . | nindent 4 }}
spec:
  maxUnavailable: {{ (index .root.Values .role).podDisruptionBudget.maxUnavailable }}
  # a pod that is not ready (Redis is away) must not keep a node from being drained
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "association-queue.selector" . | nindent 6 }}
{{- end }}

{{/* service: type, port, annotations */}}
{{- define "association-queue.service" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "association-queue.roleName" . }}
  labels:
    {{- include "association-queue.labels" . | nindent 4 }}
  {{- with .service.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  type: {{ .service.type }}
  ports:
    - name: http
      port: {{ .service.port }}
      targetPort: http
      protocol: TCP
  selector:
    {{- include "association-queue.selector" . | nindent 4 }}
{{- end }}

{{- define "association-queue.ingress" -}}
{{- $name := include "association-queue.roleName" . }}
{{- with (index .root.Values .role).ingress }}
{{- if not .hosts }}
{{- fail (printf "%s.ingress.enabled is true, and %s.ingress.hosts is empty: name the host, so that the Ingress does not take all names" $.role $.role) }}
{{- end }}
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {{ $name }}
  labels:
    {{- include "association-queue.labels" $ | nindent 4 }}
  {{- with .annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- with .className }}
  ingressClassName: {{ . }}
  {{- end }}
  {{- if .tlsSecretName }}
  tls:
    - secretName: {{ .tlsSecretName }}
      hosts:
        {{- toYaml .hosts | nindent 8 }}
  {{- end }}
  rules:
    {{- range .hosts }}
    - host: {{ . | quote }}
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: {{ $name }}
                port:
                  name: http
    {{- end }}
{{- end }}
{{- end }}

{{/* port: name of the port; from: peers that may reach it; calls: true if the role calls HubSpot or webhooks */}}
{{- define "association-queue.networkPolicy" -}}
{{- $policy := .root.Values.networkPolicy }}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "association-queue.roleName" . }}
  labels:
    {{- include "association-queue.labels" . | nindent 4 }}
spec:
  podSelector:
    matchLabels:
      {{- include "association-queue.selector" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    - ports:
        - port: {{ .port }}
      {{- with .from }}
      from:
        {{- toYaml . | nindent 8 }}
      {{- end }}
  {{- if eq .role "simulator" }}
  egress: []
  {{- else }}
  egress:
    - ports: # names
        - port: 53
          protocol: UDP
        - port: 53
          protocol: TCP
    - ports: # Redis
        {{- range $policy.redisPorts }}
        - port: {{ . }}
        {{- end }}
      {{- with $policy.redisTo }}
      to:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    - ports: # HubSpot and webhooks
        - port: 443
      {{- with $policy.httpsTo }}
      to:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    {{- if .root.Values.simulator.enabled }}
    - ports:
        - port: 8787
      to:
        - podSelector:
            matchLabels:
              {{- include "association-queue.selector" (dict "root" .root "role" "simulator") | nindent 14 }}
    {{- end }}
    {{- with $policy.extraEgress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- end }}
{{- end }}
