import { http } from '@google-cloud/functions-framework';
import { adminPage } from '../lib/admin/admin.ts';
import { routes } from '../lib/http/routes.ts';

// The page of the people who decide: see, look, approve and take back, without a command line.
http(routes.syncAdmin.name, adminPage());
