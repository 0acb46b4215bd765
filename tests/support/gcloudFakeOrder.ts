import { type Call, type CloudFake, PROJECT, problem, type Reply } from './gcloudFakeTypes.ts';

/** The service that answers at a path. The first that matches counts. */
const services: [path: RegExp, service: string][] = [
  [/^\/v2\/.*\/(functions|runtimes)\b/, 'cloudfunctions'],
  [/^\/apis\/serving\.knative\.dev\//, 'run'],
  [/\/jobs\b/, 'cloudscheduler'],
  [/\/secrets\b/, 'secretmanager'],
  [/\/serviceAccounts\b/, 'iam'],
  [/\/(topics|subscriptions)\b/, 'pubsub'],
  [/\/iap_web\//, 'iap'],
  [/^\/v2\/.*\/metrics\b/, 'logging'],
  [/\/(alertPolicies|notificationChannels|dashboards)\b/, 'monitoring'],
  [/^\/v1\/projects\/[^/]+:(get|set)IamPolicy$/, 'cloudresourcemanager'],
];

/**
 * What a project refuses that has not got so far: a service that is not enabled, an account that nobody has
 * made, a function whose secret has no value, with which it would not start.
 */
export function tooEarly({ resources }: CloudFake, call: Call): Reply | undefined {
  const service = services.find(([path]) => path.test(call.path))?.[1];
  if (service && !resources.has(`service:${service}.googleapis.com`)) {
    const words = `${service}.googleapis.com has not been used in project ${PROJECT} before or it is disabled.`;
    return problem(403, 'PERMISSION_DENIED', words);
  }
  if (call.method === 'GET') return undefined;
  const text = JSON.stringify(call.body);
  for (const [email] of text.matchAll(/[\w-]+@membership-test\.iam\.gserviceaccount\.com/g)) {
    if (resources.has(`projects/${PROJECT}/serviceAccounts/${email}`)) continue;
    if (email.startsWith('deployer@') || call.path.endsWith('/serviceAccounts')) continue;
    return problem(400, 'INVALID_ARGUMENT', `Service account ${email} does not exist.`);
  }
  for (const [, secret] of text.matchAll(/sm:\/\/[\w-]+\/([\w-]+)/g)) {
    if (resources.has(`projects/${PROJECT}/secrets/${secret}/versions/1`)) continue;
    return problem(400, 'INVALID_ARGUMENT', `Secret ${secret} has no version.`);
  }
  return undefined;
}
