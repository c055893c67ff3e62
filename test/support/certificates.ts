/** A private authority, and certificates that it signs: made with openssl in a temporary folder, valid for a day. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** paths of PEM files */
export type Certificate = { readonly cert: string; readonly key: string };

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

export class Authority {
  readonly #directory = mkdtempSync(path.join(os.tmpdir(), 'association-queue-test-ca-'));
  readonly #own: Certificate;
  #count = 0;

  constructor(name = 'Test authority') {
    this.#own = this.#files();
    this.#openssl('req', '-x509', ...NEW_KEY, '-days', '1', '-subj', `/CN=${name}`, ...out(this.#own));
  }

  /** its own certificate, which clients and servers trust */
  get file(): string {
    return this.#own.cert;
  }

  /** @param names of a server: `DNS:localhost`, `IP:127.0.0.1` @param days -1: it has expired */
  sign(names: readonly string[] = [], days = 1): Certificate {
    const files = this.#files();
    const request = `${files.cert}.csr`;
    this.#openssl('req', '-new', ...NEW_KEY, '-subj', '/CN=test', '-keyout', files.key, '-out', request);
    const extensions = `${files.cert}.ext`;
    const alternatives = names.length > 0 ? [`subjectAltName=${names.join(',')}`] : [];
    writeFileSync(extensions, ['basicConstraints=critical,CA:FALSE', ...alternatives, ''].join('\n'));
    const signedBy = ['-CA', this.#own.cert, '-CAkey', this.#own.key, '-extfile', extensions];
    this.#openssl('x509', '-req', '-in', request, ...signedBy, '-days', String(days), '-out', files.cert);
    return files;
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #files(): Certificate {
    this.#count += 1;
    const name = path.join(this.#directory, String(this.#count));
    return { cert: `${name}.crt`, key: `${name}.key` };
  }

  #openssl(...args: string[]): void {
    execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  }
}

const out = ({ cert, key }: Certificate): string[] => ['-keyout', key, '-out', cert];
