print("anyloop")
