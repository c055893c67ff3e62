/**
 * Validates objects of Kubernetes, KEDA and the Prometheus operator as their API servers do with strict field validation: a
 * field that the schema does not have is a fault. The packages have their schemas as compiled validators, which ignore other
 * fields. A validator reads each field of an object that its schema lists, so a field that it has not read is unknown.
 */
import { fileURLToPath } from 'node:url';

const TOOLS = fileURLToPath(new URL('../../scripts/chart-tools.mjs', import.meta.url));
const { importTool } = (await import(TOOLS)) as { importTool(file: string): Promise<unknown> };

export type KubernetesObject = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
};
type Validator = ((data: unknown) => boolean) & {
  errors?: readonly { instancePath: string; message?: string; keyword: string; params: unknown }[] | null;
};

/** group of an apiVersion → package, and the beginning of the names of its schemas */
const OTHERS: Readonly<Record<string, readonly [folder: string, prefix: string]>> = {
  'keda.sh': ['@kubernetes-models/keda', 'ComGithubKedacoreKedaV2ApisKeda'],
  'monitoring.coreos.com': [
    '@kubernetes-models/prometheus-operator',
    'ComGithubPrometheusOperatorPrometheusOperatorPkgApisMonitoring',
  ],
};

const validators = new Map<string, Promise<Validator>>();
/** One after the other: Jest's loader fails if graphs of modules that overlap are loaded at once. */
let loaded: Promise<unknown> = Promise.resolve();

function validatorOf({ apiVersion, kind }: KubernetesObject): Promise<Validator> {
  const [version = '', group = ''] = apiVersion.split('/').toReversed();
  const ofGroup = capital((group || 'core').split('.')[0] ?? '');
  const [folder, prefix] = OTHERS[group] ?? ['kubernetes-models', `IoK8sApi${ofGroup}`];
  const file = `${folder}/_schemas/${prefix}${capital(version)}${kind}.js`;
  const found =
    validators.get(file) ??
    loaded.then(() => importTool(file)).then(module => (module as { validate: Validator }).validate);
  loaded = found.catch(() => {}); // the caller gets the error
  validators.set(file, found);
  return found;
}

const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

/** @returns what is wrong, each with its place; empty if the object is valid */
export async function faultsOf(object: KubernetesObject): Promise<string[]> {
  const validate = await validatorOf(object);
  const read = new Set<string>();
  validate(watched(object, '', read));
  const faults = (validate.errors ?? []).map(
    ({ instancePath, keyword, params }) => `${instancePath || '/'}: ${keyword} ${JSON.stringify(params)}`,
  );
  return [...faults, ...unread(object, '', read).map(place => `${place}: unknown field`)];
}

/** @returns a view of the value that notes the place of each field that is read */
function watched(value: unknown, place: string, read: Set<string>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return new Proxy(value, {
    get(target, key, receiver) {
      const found: unknown = Reflect.get(target, key, receiver);
      if (
        typeof key === 'symbol' ||
        !Object.hasOwn(target, key) ||
        (Array.isArray(target) && key === 'length')
      )
        return found;
      read.add(`${place}/${key}`);
      return watched(found, `${place}/${key}`, read);
    },
  });
}

function unread(value: unknown, place: string, read: ReadonlySet<string>): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, field]) =>
    read.has(`${place}/${key}`) ? unread(field, `${place}/${key}`, read) : [`${place}/${key}`],
  );
}
