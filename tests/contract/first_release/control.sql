BEGIN TRANSACTION;
CREATE TABLE "key" (
	hash TEXT NOT NULL, 
	id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	name TEXT NOT NULL, 
	source TEXT NOT NULL, 
	scopes TEXT NOT NULL, 
	created INTEGER NOT NULL, 
	revoked INTEGER, 
	change INTEGER NOT NULL, 
	PRIMARY KEY (hash), 
	UNIQUE (id)
)
 WITHOUT ROWID

;
INSERT INTO "key" VALUES('sha256:0e65b605fc9cd4b5188ecd2f8efac3110f52cfb3c9c59706ed9ba035e4dd9886','key_0e65b605fc','api','first','','read write',1780000000000000,NULL,2);
INSERT INTO "key" VALUES('sha256:88aafb572869f68ef45f26934eeeac8ce92fd876b0d98ab44550fba5272630d7','key_88aafb5728','write','web','web','',1780000000000000,NULL,1);
CREATE INDEX ix_key_change ON "key" (change);
COMMIT;
PRAGMA user_version = 0;
