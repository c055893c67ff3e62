{{/*
A Deployment of one role. A dict:
  root, role   as everywhere
  own          variables that the chart sets for this role
  args         of the command line
  port         { name, number }: where the program listens
  health       false for a role without /healthz and /readyz
  replicas     left out if something scales the role
  strategy     as in a Deployment
  preStop      seconds before SIGTERM
  grace        seconds between SIGTERM and the end by force
  spread       true: over topologySpread.topologyKeys
*/}}

{{/* @returns JSON: `pod` of all roles with that of this role */}}
{{- define "association-queue.pod" -}}
{{- $own := (index .root.Values .role).pod }}
{{- $pod := dict }}
{{- range $key, $all := .root.Values.pod }}
{{- $value := index $own $key }}
{{- if kindIs "map" $all }}
{{- $value = merge (deepCopy (default dict $value)) $all }}
{{- else if kindIs "slice" $all }}
{{- $value = concat $all (default list $value) }}
{{- end }}
{{- $_ := set $pod $key (default $all $value) }}
{{- end }}
{{- toJson $pod }}
{{- end }}

{{- define "association-queue.deployment" -}}
{{- $values := index .root.Values .role }}
{{- $pod := include "association-queue.pod" . | fromJson }}
{{- $files := list }}
{{- if .settings }}
{{- $files = include "association-queue.secretFiles" . | fromJsonArray }}
{{- end }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "association-queue.roleName" . }}
  labels:
    {{- include "association-queue.labels" . | nindent 4 }}
  {{- with .root.Values.deploymentAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- if hasKey . "replicas" }}
  replicas: {{ .replicas }}
  {{- end }}
  revisionHistoryLimit: 3
  {{- with .strategy }}
  strategy:
    {{- toYaml (ternary (omit . "rollingUpdate") . (eq .type "Recreate")) | nindent 4 }}
  {{- end }}
  selector:
    matchLabels:
      {{- include "association-queue.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "association-queue.selector" . | nindent 8 }}
        {{- with merge (deepCopy $pod.labels) .root.Values.commonLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- with $pod.annotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      serviceAccountName: {{ include "association-queue.serviceAccountName" .root }}
      automountServiceAccountToken: false
      # variables of other Services (GATEWAY_PORT=tcp://…) have the names of settings
      enableServiceLinks: false
      terminationGracePeriodSeconds: {{ .grace }}
      {{- with .root.Values.imagePullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $pod.priorityClassName }}
      priorityClassName: {{ . }}
      {{- end }}
      securityContext:
        {{- toYaml $pod.securityContext | nindent 8 }}
      {{- with $pod.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $pod.affinity }}
      affinity:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $pod.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- if and .spread .root.Values.topologySpread.topologyKeys }}
      topologySpreadConstraints:
        {{- range .root.Values.topologySpread.topologyKeys }}
        - maxSkew: 1
          topologyKey: {{ . }}
          whenUnsatisfiable: {{ $.root.Values.topologySpread.whenUnsatisfiable }}
          labelSelector:
            matchLabels:
              {{- include "association-queue.selector" $ | nindent 14 }}
        {{- end }}
      {{- end }}
      containers:
        - name: {{ .role }}
          image: {{ include "association-queue.image" .root | quote }}
          imagePullPolicy: {{ .root.Values.image.pullPolicy }}
          args:
            {{- toYaml .args | nindent 12 }}
          {{- $env := "" }}
          {{- if .settings }}
          {{- $env = include "association-queue.env" (merge (dict "extraEnv" $pod.extraEnv) .) }}
          {{- else if $pod.extraEnv }}
          {{- $env = toYaml $pod.extraEnv }}
          {{- end }}
          {{- with trim $env }}
          env:
            {{- . | nindent 12 }}
          {{- end }}
          {{- with $pod.extraEnvFrom }}
          envFrom:
            {{- toYaml . | nindent 12 }}
          {{- end }}
          ports:
            - name: {{ .port.name }}
              containerPort: {{ .port.number }}
          {{- if .health }}
          startupProbe:
            httpGet:
              path: /healthz
              port: {{ .port.name }}
            periodSeconds: 2
            timeoutSeconds: 5
            failureThreshold: 30
          livenessProbe:
            httpGet:
              path: /healthz
              port: {{ .port.name }}
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 3
          readinessProbe:
            httpGet:
              path: /readyz
              port: {{ .port.name }}
            periodSeconds: 5
            timeoutSeconds: 5
            failureThreshold: 2
          {{- else }}
          readinessProbe:
            tcpSocket:
              port: {{ .port.name }}
            periodSeconds: 5
          {{- end }}
          {{- if .preStop }}
          lifecycle:
            preStop:
              sleep:
                seconds: {{ .preStop }}
          {{- end }}
          resources:
            {{- toYaml $values.resources | nindent 12 }}
          securityContext:
            {{- toYaml $pod.containerSecurityContext | nindent 12 }}
          volumeMounts:
            - name: tmp
              mountPath: /tmp
            {{- if $files }}
            - name: secrets
              mountPath: {{ include "association-queue.secretsFolder" . }}
              readOnly: true
            {{- end }}
            {{- with $pod.extraVolumeMounts }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
      volumes:
        - name: tmp
          emptyDir: {}
        {{- if $files }}
        - name: secrets
          projected:
            defaultMode: 288 # 0440: for the group of the pod
            sources:
              {{- toYaml $files | nindent 14 }}
        {{- end }}
        {{- with $pod.extraVolumes }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
{{- end }}
