<?php
if (!defined('_GNUBOARD_')) {
    exit;
}
?>
</div></div></div>
</body>
</html>
