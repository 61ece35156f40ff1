-- faults.sql: what the demo planted, and whether it was found where it belongs; a line each
SELECT CASE WHEN f.found THEN 'found' ELSE 'NOT FOUND' END || ': ' || f.what
FROM (VALUES
	(1, 'estate row with a tariff that does not exist -> refused with line and column', EXISTS (
		SELECT FROM demo_import WHERE line = 14 AND column_name = 'tariff')),
	(2, 'DL/T 645 reply with a wrong checksum -> kept as bad frame, read again, good value stored', EXISTS (
		SELECT FROM elecbill.reading_inbox WHERE state = 'bad' AND meter = '202611000102')
		AND EXISTS (SELECT FROM elecbill.reading_latest l JOIN elecbill.meter_register r ON r.id = l.register_id
			JOIN elecbill.meter m ON m.id = r.meter_id WHERE m.serial = '202611000102' AND l.read_at > now() - interval '5 minutes')),
	(3, 'CSV line with letters in the number -> kept as bad frame, never guessed at', EXISTS (
		SELECT FROM elecbill.reading_inbox WHERE state = 'bad' AND position('12x45.6'::bytea IN frame) > 0)),
	(4, 'reading sent twice -> stored once', (
		SELECT count(*) = 1 FROM elecbill.reading r JOIN elecbill.reading_conflict c USING (register_id, read_at))),
	(5, 'another value for a stored reading -> reading_conflict, the first one stays', EXISTS (
		SELECT FROM elecbill.reading_conflict)),
	(6, 'reading from the future -> refused', EXISTS (
		SELECT FROM elecbill.reading_inbox WHERE state = 'rejected' AND reason LIKE '%future%')),
	(7, 'reading of an unknown meter -> refused', EXISTS (
		SELECT FROM elecbill.reading_inbox WHERE state = 'rejected' AND meter = 'GHOST-9')),
	(8, 'register that runs backwards -> account 10010 is not billed', EXISTS (
		SELECT FROM elecbill.bill_exception x JOIN elecbill.customer_account a ON a.id = x.account_id
		WHERE a.account_no = '10010' AND x.code = 'register_backwards')),
	(9, 'account without agreement -> 10099 is not billed', EXISTS (
		SELECT FROM elecbill.bill_exception x JOIN elecbill.customer_account a ON a.id = x.account_id
		WHERE a.account_no = '10099' AND x.code = 'no_agreement')),
	(10, 'six hours without readings -> bill of 10009 says so, nothing was filled in', EXISTS (
		SELECT FROM elecbill.bill_exception x JOIN elecbill.customer_account a ON a.id = x.account_id
		WHERE a.account_no = '10009' AND x.code = 'missing_readings'))
) AS f(n, what, found)
ORDER BY f.n;
