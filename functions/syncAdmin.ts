import { http } from '@google-cloud/functions-framework';
import { routes } from '../lib/http/request.ts';
import { adminPage } from './admin/admin.ts';

// The page of the people who decide: see, look, approve and take back, without a command line.
http(routes.syncAdmin.name, adminPage());
