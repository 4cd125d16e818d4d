# Run once, by the image, when MariaDB starts on an empty volume: a database and a user of Gnuboard's
# own, so that its installer needs no root. Its password: docker compose exec mariadb cat
# /run/secrets/gnuboard_password
password=$(cat /run/secrets/gnuboard_password)
mariadb --socket="${SOCKET:-/run/mysqld/mysqld.sock}" -uroot ${MARIADB_ROOT_PASSWORD:+-p"$MARIADB_ROOT_PASSWORD"} <<SQL
CREATE DATABASE IF NOT EXISTS gnuboard CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
CREATE USER IF NOT EXISTS 'gnuboard'@'%' IDENTIFIED BY '$password';
GRANT ALL ON gnuboard.* TO 'gnuboard'@'%';
SQL
