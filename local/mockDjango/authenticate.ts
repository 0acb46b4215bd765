import { type Behaviour, json, type Reply } from './types.ts';

export type Caller = 'known' | 'anonymous' | Reply;

/**
 * As Django REST framework's TokenAuthentication and BasicAuthentication. Another scheme, or none, is no error
 * but an anonymous call, and the view decides what that may see. A wrong key is refused.
 */
export function authenticate(header: string | undefined, behaviour: Behaviour): Caller {
  const { scheme, key, anonymous } = behaviour;
  const [given, ...parts] = (header ?? '').split(' ');
  if (given?.toLowerCase() !== scheme.toLowerCase()) {
    if (typeof anonymous === 'string') return 'anonymous';
    const detail = { detail: 'Authentication credentials were not provided.' };
    // With SessionAuthentication listed first the reply is 403 and names no scheme.
    return json(anonymous, detail, anonymous === 401 ? { 'WWW-Authenticate': scheme } : {});
  }
  if (parts.length !== 1) return refused('Invalid token header. No credentials provided.', scheme);
  const credentials = scheme === 'Basic' ? Buffer.from(key).toString('base64') : key;
  return parts[0] === credentials ? 'known' : refused('Invalid token.', scheme);
}

function refused(detail: string, scheme: string): Reply {
  return json(401, { detail }, { 'WWW-Authenticate': scheme });
}
