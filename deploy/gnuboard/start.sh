# The plugin reads data/stockd.config.php; its password may be new, so it is written at each start.
set -eu
if [ -d /var/www/html/data ]; then
    umask 077
    cp /run/secrets/stockd.config.php /var/www/html/data/stockd.config.php.new
    mv /var/www/html/data/stockd.config.php.new /var/www/html/data/stockd.config.php
fi
exec apache2-foreground
